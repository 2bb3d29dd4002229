# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Chromium;

=head1 NAME

OpenID2RP::Chromium - a real browser, for tests of what people see

=head1 SYNOPSIS

    use OpenID2RP::Chromium;

    my $chromium = OpenID2RP::Chromium->new;    # chromedriver runs now
    my $alice = $chromium->browser;             # a profile of its own
    $alice->go('http://site.test:8530/app');    # any name is this machine
    $alice->fill('#openid', 'http://localhost:8529/op/user/alice');
    $alice->click('form button');
    ok $alice->arrives('http://site.test:8530/app', qr/Members/);
    is $alice->text('h1'), 'Members';
    is_deeply [ $alice->complaints ], [];       # what the console says
    my $mallory = $chromium->browser(javascript => 0);

It talks to chromedriver as W3C WebDriver has it: JSON over HTTP. chromedriver
is an L<OpenID2RP::Process>, and ends with the test, however that ends; so do
its browsers. A program that is not installed is the end of the test.

Every host name leads to 127.0.0.1, and no certificate is looked at; ports are
as they stand. To Chromium, site.test and evil.test are two sites with all that
follows, and only https and localhost are secure contexts.

=cut

use v5.14;
use strict;
use warnings;
use parent 'OpenID2RP::Process';
use Apache::Test ();
use Carp qw(croak);
use HTTP::Tiny ();
use JSON::PP ();
use OpenID2RP::Process qw(wait_for);

use constant TIMEOUT => 30;     # seconds, for one command

my @SWITCHES = ('--headless=new', '--no-sandbox', '--disable-gpu',
    '--disable-dev-shm-usage', '--disable-background-networking',
    '--disable-component-update', '--disable-sync', '--disable-extensions',
    '--no-first-run', '--no-default-browser-check', '--no-proxy-server',
    '--ignore-certificate-errors', '--host-resolver-rules=MAP * 127.0.0.1',
    '--window-size=1000,800', '--lang=en');

sub new {
    my ($class) = @_;
    my $self = $class->prepare('chromium');
    $self->{pictures} = Apache::Test::basic_config()->{vars}{t_logs};
    $self->{http} = HTTP::Tiny->new(timeout => TIMEOUT, proxy => undef,
                                    http_proxy => undef);
    $self->{home} = "$self->{dir}/home";
    mkdir $self->{home} or croak "$self->{home}: $!";
    {
        # All that Chromium writes goes away with the test.
        local @ENV{qw(HOME TMPDIR XDG_CONFIG_HOME XDG_CACHE_HOME)}
            = ($self->{home}) x 4;
        local $ENV{PATH} = ($ENV{PATH} // '') . ':/usr/bin';
        $self->spawn(program('chromedriver'), "--port=$self->{port}");
    }
    wait_for(sub { !$self->runs
                   || ($self->answers && $self->ask('GET', '/status')) });
    croak 'chromedriver does not start: ' . $self->output unless $self->runs;
    return $self;
}

sub program {
    my ($name) = @_;
    for my $dir (split(/:/, $ENV{PATH} // ''), '/usr/bin') {
        return "$dir/$name" if -x "$dir/$name";
    }
    croak "$name is not installed: see conf/install-packages";
}

# One command: its value, or undef. In a list, (undef, name of the error, its
# message).
sub ask {
    my ($self, $method, $path, $body) = @_;
    my $answer = $self->{http}->request($method,
        "http://127.0.0.1:$self->{port}$path",
        $method eq 'POST' ? { headers => { 'Content-Type'
            => 'application/json; charset=utf-8' },
            content => JSON::PP->new->utf8->encode($body // {}) } : {});
    my $value = eval {
        JSON::PP->new->utf8->decode($answer->{content})->{value};
    };
    return $value if $answer->{success};
    return undef unless wantarray;
    return (undef, ref $value ? @$value{qw(error message)}
                              : ('no answer', $answer->{content}));
}

# A window of a browser of its own, with a profile of its own. Options:
# javascript => 0, switches => [more of the command line].
sub browser {
    my ($self, %option) = @_;
    my $number = ++$self->{browsers};
    my ($made, $error, $message) = $self->ask('POST', '/session', {
        capabilities => { alwaysMatch => {
            browserName => 'chrome',
            # An alert stays, so that a test can see it.
            unhandledPromptBehavior => 'ignore',
            'goog:loggingPrefs' => { browser => 'ALL' },
            'goog:chromeOptions' => {
                binary => program('chromium'),
                args => [ @SWITCHES, @{ $option{switches} // [] },
                          "--user-data-dir=$self->{dir}/profile.$number" ],
                prefs => $option{javascript} // 1 ? {}
                    : { 'profile.default_content_setting_values.javascript'
                        => 2 },
            },
        } } });
    croak "no browser: $error: $message\n" . $self->output unless $made;
    return OpenID2RP::Chromium::Browser->new($self, $made->{sessionId});
}

# ---------------------------------------------------------------------------
package OpenID2RP::Chromium::Browser;

use strict;
use warnings;
use Carp qw(croak);
use JSON::PP ();
use MIME::Base64 qw(decode_base64);
use OpenID2RP::Process ();
use Test::More ();

# Elements are named by CSS selectors; the first that fits is meant. What
# cannot be done is the end of the test, with chromedriver's words and a
# picture of the page.

my $ELEMENT = 'element-6066-11e4-a52e-4f735466cecf';    # WebDriver, 11.
my %KEY = (Enter => "\x{E007}", Tab => "\x{E004}", Shift => "\x{E008}");

use constant SECONDS => 20;     # what a page may take to come

sub new {
    my ($class, $chromium, $session) = @_;
    return bless { chromium => $chromium, path => "/session/$session" },
        $class;
}

# ask(METHOD, PATH, BODY), as above; must() takes no error.
sub ask {
    my ($self, $method, $path, $body) = @_;
    return $self->{chromium}->ask($method, "$self->{path}$path", $body);
}

sub must {
    my ($self, @command) = @_;
    my ($value, $error, $message) = $self->ask(@command);
    return $value unless $error;
    $self->show;
    croak "$command[0] $command[1]: $error: ", $message =~ s/\n.*//sr;
}

# --- pages

sub go { $_[0]->must('POST', '/url', { url => $_[1] }) }
sub back { $_[0]->must('POST', '/back') }
sub forward { $_[0]->must('POST', '/forward') }
sub reload { $_[0]->must('POST', '/refresh') }
sub url { $_[0]->must('GET', '/url') }
sub title { $_[0]->must('GET', '/title') }

# Run JavaScript, with arguments[0] and so on: what it returns.
sub run {
    my ($self, $script, @arguments) = @_;
    return $self->must('POST', '/execute/sync',
                       { script => $script, args => \@arguments });
}

# A command of the Chrome DevTools Protocol.
sub devtools {
    my ($self, $command, %params) = @_;
    return $self->must('POST', '/goog/cdp/execute',
                       { cmd => $command, params => \%params });
}

# True as soon as the condition is; false, with a picture, when it does not
# become so in time.
sub wait_for {
    my ($self, $condition) = @_;
    return 1 if OpenID2RP::Process::wait_for($condition, SECONDS);
    $self->show;
    return 0;
}

# Wait until it is at a URL, which is a string or a pattern, and its page says
# something: a login page has the same URL as what is behind it.
sub arrives {
    my ($self, $url, $text) = @_;
    return $self->wait_for(sub {
        my $at = $self->ask('GET', '/url') // return 0;
        return 0 unless ref $url ? $at =~ $url : $at eq $url;
        return !defined $text || ($self->text // '') =~ $text;
    });
}

# --- what is on them

sub element {
    my ($self, $css) = @_;
    return $self->must('POST', '/element',
        { using => 'css selector', value => $css })->{$ELEMENT};
}

# How many there are.
sub count {
    my ($self, $css) = @_;
    return scalar @{ $self->must('POST', '/elements',
        { using => 'css selector', value => $css }) };
}

# What a person reads of it; undef where there is none.
sub text {
    my ($self, $css) = @_;
    my ($found) = $self->ask('POST', '/element',
        { using => 'css selector', value => $css // 'body' });
    return $found ? scalar $self->ask('GET',
                                      "/element/$found->{$ELEMENT}/text")
        : undef;
}

sub property {
    my ($self, $css, $name) = @_;
    return $self->must('GET', '/element/' . $self->element($css)
                              . "/property/$name");
}

# As screen readers have it: its role, and its name.
sub role { $_[0]->must('GET', '/element/' . $_[0]->element($_[1])
                              . '/computedrole') }
sub name { $_[0]->must('GET', '/element/' . $_[0]->element($_[1])
                              . '/computedlabel') }

sub click {
    my ($self, $css) = @_;
    $self->must('POST', '/element/' . $self->element($css) . '/click');
}

sub fill {
    my ($self, $css, $text) = @_;
    my $element = $self->element($css);
    $self->must('POST', "/element/$element/clear");
    $self->must('POST', "/element/$element/value", { text => $text });
}

# Type, wherever the focus is: text, or 'Enter', 'Tab', 'Shift Tab'.
sub type {
    my ($self, @texts) = @_;
    my @down = map { my @keys = map { $KEY{$_} // $_ } split / /;
        $KEY{ (split / /)[0] // '' }
            ? (map({ +{ type => 'keyDown', value => $_ } } @keys),
               map({ +{ type => 'keyUp', value => $_ } } reverse @keys))
            : map({ +{ type => 'keyDown', value => $_ },
                    { type => 'keyUp', value => $_ } } split //)
    } @texts;
    $self->must('POST', '/actions', { actions => [
        { type => 'key', id => 'keyboard', actions => \@down } ] });
}

# What the login page's field and its button do.
sub sign_in {
    my ($self, $identifier) = @_;
    $self->fill('#openid', $identifier);
    $self->click('#openid ~ button');
}

# At the provider of the tests (conf/demo/op.cgi), where it does not approve by
# itself: sign in as a user, and approve.
sub agree {
    my ($self, $user) = @_;
    $self->wait_for(sub { $self->count("button[value=$user]") })
        or croak 'not at the provider';
    $self->click("button[value=$user]");
    $self->wait_for(sub { $self->count('button[value=approve]') })
        or croak "not signed in as $user";
    $self->click('button[value=approve]');
}

# --- around them

# The text of an alert that is open, or undef.
sub alert { scalar $_[0]->ask('GET', '/alert/text') }

# What the console has said since it was asked last: violations of a policy,
# errors of scripts, failed requests. "source: message" each.
sub complaints {
    my ($self) = @_;
    return map { "$_->{source}: $_->{message}" }
        @{ $self->must('POST', '/se/log', { type => 'browser' }) };
}

# The cookies that the page's URL gets, also those that scripts do not see:
# references to { name, value, domain, path, httpOnly, secure, sameSite,
# expiry }.
sub cookies { @{ $_[0]->must('GET', '/cookie') } }

# All that this profile has, of all sites; and away with them.
sub all_cookies { @{ $_[0]->devtools('Storage.getCookies')->{cookies} } }
sub forget { $_[0]->devtools('Storage.clearCookies') }

sub tab { $_[0]->must('GET', '/window') }
sub new_tab {
    my ($self) = @_;
    $self->to_tab($self->must('POST', '/window/new',
                              { type => 'tab' })->{handle});
    return $self->tab;
}
sub to_tab { $_[0]->must('POST', '/window', { handle => $_[1] }) }

# Close the one that is shown, and show this one.
sub close_tab {
    my ($self, $next) = @_;
    $self->must('DELETE', '/window');
    $self->to_tab($next);
}

# Inside a frame; without a selector, out of it.
sub frame {
    my ($self, $css) = @_;
    $self->must('POST', '/frame', { id => defined $css
        ? { $ELEMENT => $self->element($css) } : undef });
}

# A window as wide as that, to the page.
sub width {
    my ($self, $width) = @_;
    $self->devtools('Emulation.setDeviceMetricsOverride', width => 0 + $width,
        height => 800, deviceScaleFactor => 1, mobile => JSON::PP::false);
}

# A picture of the page, as a file.
sub picture {
    my ($self, $file) = @_;
    my ($data) = $self->ask('GET', '/screenshot');
    open my $out, '>:raw', $file or croak "$file: $!";
    print $out decode_base64($data // '');
    close $out or croak "$file: $!";
}

# For whoever looks for the cause of a failure.
sub show {
    my ($self) = @_;
    my $file = "$self->{chromium}{pictures}/browser." . $$ . '.'
        . ++$self->{chromium}{shown} . '.png';
    $self->picture($file);
    Test::More::diag('at ', scalar $self->ask('GET', '/url') // '?',
                     ", picture: $file");
}

1;
