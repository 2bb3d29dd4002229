#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# Secrets are nowhere but where they belong: whole logins of every kind, by
# servers that log all that the module has to say (openid2rp:trace8); and then
# every key, signature, cookie, handle and password of them is looked for in
# the logs, the pages, the status, the command's output.
#
# httpd's own modules stay at "info": at trace8 the core writes down every
# header, and so every cookie. And httpd adds ", referer: URL" to a line about
# a request that has such a header; the module's pages forbid browsers to send
# it (Referrer-Policy), as page.t shows.

use v5.14;
use strict;
use warnings;
use MIME::Base64 qw(encode_base64);
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(wait_for);
use OpenID2RP::Server;
use OpenID2RP::Test;
use Test::More;

use constant SOON => 12;        # seconds; see background.t
use constant LOUD => 'LogLevel info openid2rp:trace8';

my $PASSWORD = 'Pa55-of-the-store';
my $TYPED = 'Pa55-that-was-typed';
my $SAID = 'bWFjX2tleSBvZiBhIHByb3ZpZGVy';      # what a provider gives away

my $redis = OpenID2RP::Server->redis(password => $PASSWORD);
my $place = $redis->place =~ s{//}{//:$PASSWORD@}r;
my $httpd = started("OpenIDStore $place", 'OpenIDAssociate login',
    '<Location "/status">', 'SetHandler openid2rp-status',
    'AuthType None', 'Require all granted', '</Location>');
my $quiet = started('OpenIDStore shm:2M');      # in the background
my $op = OpenID2RP::Evil->new;
my %secret;             # the text => what it is
my @pages;              # all that browsers were shown

@Watched::ISA = ('OpenID2RP::Httpd::Browser');
with_an_association();
in_version_1();
by_cross_site_post();
what_is_refused();
a_provider_that_talks();
stateless_and_in_the_background();
a_password_in_an_identifier();
the_status();
the_command();
the_processes();
an_application();
a_place_that_is_wrong();
the_search_finds_what_is_there();
nothing_is_found();
for ($httpd, $quiet) {
    ok $_->stop, 'httpd stops at the end';
    is_deeply [ $_->crashes ], [], 'no child has crashed';
}
done_testing;

# --- what is secret ---------------------------------------------------------

# Text that must be nowhere, in the spellings that it could have.
sub is_secret {
    my ($what, $text) = @_;
    $secret{$_} //= $what for $text, encode($text);
}

# The same of bytes.
sub are_secret {
    my ($what, $bytes) = @_;
    my $base64 = encode_base64($bytes, '');
    my $hex = unpack 'H*', $bytes;
    is_secret($what, $_) for $base64, $base64 =~ s/=+\z//r =~ tr{+/}{-_}r,
        $hex, uc $hex;
}

# What is secret about an answer: the handle, its key, the signature.
sub is_answer {
    my ($url) = @_;
    my %field = map { @$_ } pairs_of($url);
    my $handle = $field{'openid.assoc_handle'};
    is_secret('a handle', $handle);
    are_secret('a key', OpenID2RP::Evil::key_of($handle));
    is_secret('a signature', $field{'openid.sig'});
    is_secret('a key of a login', $field{openid_return});
    return $url;
}

# What secrets a text has: "WHAT: TEXT".
sub found_in {
    my ($text) = @_;
    return map { index($text, $_) >= 0 ? "$secret{$_}: $_" : () }
        sort keys %secret;
}

# --- logins -----------------------------------------------------------------

sub started {
    my $own = OpenID2RP::Httpd->new(@_, LOUD);
    ok $own->start, 'httpd starts' or die $own->says;
    return $own;
}

sub guest { return Watched->new->through($_[0]) }

# A login as far as its answer.
sub begun {
    my ($server, $id, %how) = @_;
    my $browser = guest($server);
    my $begun = begin_login($browser, $server->page, $id // $op->id('alice'));
    $begun->is_redirect or die 'no redirect: ' . $begun->status
        . ' ' . ($begun->alert // '');
    my $url = is_answer($op->assertion($begun, %how));
    return ($browser, $url, $begun);
}

sub signs_in {
    my ($browser, $server, $page, $name) = @_;
    $page = $browser->get($page->header('Location'))
        if $page->is_redirect && $page->header('Location') =~ /openid_return/;
    is $page->header('Location'), $server->page, "$name: signed in"
        or diag $page->alert // $page->body;
    is $browser->get($server->page)->body, "PROTECTED-BODY\n",
        "$name: the page";
}

sub is_refused {
    my ($page, $status, $name) = @_;
    is $page->status, $status, "$name: refused";
    like $page->body, qr/role="alert"/, "$name: with a page";
}

sub with_an_association {
    for (1 .. 2) {
        my ($browser, $url, $begun) = begun($httpd);
        like $begun->header('Location'), qr/assoc_handle/,
            'an association: there is one';
        signs_in($browser, $httpd, $browser->get($url), 'an association');
    }
}

sub in_version_1 {
    my ($browser, $url) = begun($httpd, $op->id1('alice'), -version => 1);
    signs_in($browser, $httpd, $browser->get($url), 'OpenID 1.1');
}

sub by_cross_site_post {
    my ($browser, $url) = begun($httpd);
    my ($to, $body) = split /&/, $url, 2;
    signs_in($browser, $httpd, $browser->post($to, $body, cross_site => 1),
        'a POST from elsewhere');
}

sub what_is_refused {
    my $gone = OpenID2RP::Evil::new_handle('assoc');
    my %lies = (
        'another signature' => [403, sig => encode_base64('x' x 32, '')],
        'garbage for a signature' => [403, sig => "$SAID%"],
        'a handle that has expired' => [403, assoc_handle => $gone],
        'a field that is not signed' => [400, -unsigned => ['identity']],
        'a field that is not there' => [400, identity => undef],
        'a cancel' => [401, mode => 'cancel'],
        'another mode' => [400, mode => $SAID],
        'another place' => [403, return_to => 'http://other.example/'],
    );
    for my $name (sort keys %lies) {
        my ($status, @lie) = @{ $lies{$name} };
        my ($browser, $url) = begun($httpd, undef, @lie);
        is_refused($browser->get($url), $status, $name);
    }
    my ($browser, $url) = begun($httpd);
    is_refused($browser->get("$url&openid.sig=$SAID"), 400, 'two signatures');
    is_refused($browser->get("$url&openid.x=%zz"), 400, 'a broken escape');
    is_refused(guest($httpd)->get($url), 403, 'another browser');
    is_refused($browser->get($url =~ s/(openid_return=)[^&]+/$1$SAID/r), 403,
        'another login');
    signs_in($browser, $httpd, $browser->get($url), 'control');
    is $browser->get($url)->status, 303, 'a second time';
}

# What it gives away is not said again.
sub a_provider_that_talks {
    is_secret('what a provider has said', $SAID);
    my $kv = "mac_key:$SAID\nenc_mac_key:$SAID\nassoc_handle:$SAID\n";
    my %answers = (
        'an error' => { status => 400, body => "error:$SAID\n$kv" },
        'a page' => { body => "<html>$SAID</html>" },
        'broken lines' => { body => "$kv$SAID" },
        'other types' => { body => "${kv}assoc_type:$SAID\n" },
        'a refusal' => { status => 400, body => $kv
            . "error_code:unsupported-type\nassoc_type:$SAID\n" },
        'another length' => { body => $kv . "expires_in:60\n"
            . "assoc_type:HMAC-SHA256\nsession_type:DH-SHA256\n"
            . "dh_server_public:$SAID\n" },
        'a lifetime' => { body => $kv . "expires_in:$SAID\n"
            . "assoc_type:HMAC-SHA256\nsession_type:DH-SHA256\n" },
    );
    for my $name (sort keys %answers) {
        my $talker = OpenID2RP::Evil->new;
        $talker->answers(associate => $answers{$name});
        my $browser = guest($httpd);
        my $begun = begin_login($browser, $httpd->page, $talker->id('alice'));
        is $begun->status, 303, "it talks ($name): no association, but a login";
        is_answer(my $url = $talker->assertion($begun));
        $talker->answers(check_authentication => $answers{$name});
        is_refused($browser->get($url), 403, "it talks ($name)");
    }
}

sub stateless_and_in_the_background {
    my ($browser, $url, $begun) = begun($quiet);
    unlike $begun->header('Location'), qr/assoc_handle/,
        'stateless: no association';
    signs_in($browser, $quiet, $browser->get($url), 'stateless');
    ok wait_for(sub { (begun($quiet))[2]->header('Location')
                      =~ /assoc_handle/ }, SOON), 'background: there is one';
    ($browser, $url) = begun($quiet);
    signs_in($browser, $quiet, $browser->get($url), 'background');
}

sub a_password_in_an_identifier {
    is_secret('a password', $TYPED);
    for my $id ("http://alice:$TYPED\@127.0.0.1/", "alice:$TYPED\@127.0.0.1",
                "HTTPS:\\\\alice:$TYPED\@127.0.0.1/?a\@b") {
        my $browser = guest($httpd);
        $browser->{unwatched} = 1;      # its user may correct it
        my $page = begin_login($browser, $httpd->page, $id);
        is $page->status, 400, "it is refused: $id";
    }
    is scalar(grep { /alice:\*\*\*\@127/ } $httpd->log), 3,
        'the log has the rest of it';
}

# --- what there is to see ---------------------------------------------------

sub the_status {
    for my $query ('', '?auto') {
        my $page = guest($httpd)->get($httpd->origin . "/status$query");
        is $page->status, 200, "the status$query";
        like $page->body, qr/redis/, "the status$query: control: the store";
    }
}

# Its output is the administrator's: `associate` shows a handle, and `store list
# nonce` the logins that are completed; keys and cookies nothing shows.
sub the_command {
    for my $words ('associate', 'associate --json',
                   'associate --type HMAC-SHA1 --session DH-SHA1') {
        my $out = qx{"$ENV{COMMAND}" $words --allow 127.0.0.0/8 @{[
            $op->endpoint]} 2>&1};
        my ($handle) = $out =~ /(assoc-\w+-\w+)/;
        ok defined $handle, "`openid2rp $words`: a handle" or diag $out;
        are_secret('a key', OpenID2RP::Evil::key_of($handle // ''));
        push @pages, $out =~ s/assoc-\w+-\w+//gr;
    }
    for my $words ('stats', 'list session', 'list association',
                   'list session --json') {
        my $out = qx{"$ENV{COMMAND}" store --store "$place" $words 2>&1};
        is $?, 0, "`openid2rp store $words`" or diag $out;
        push @pages, $out;
    }
}

sub the_processes {
    my @files = map { ("/proc/$_/cmdline", "/proc/$_/environ") }
        map { ($_->pid, $_->children) } $httpd, $quiet;
    cmp_ok scalar @files, '>=', 8, 'there are processes';
    for my $file (@files) {
        open my $in, '<', $file or next;        # it may have ended
        local $/;
        push @pages, <$in> // '';
    }
}

# It gets the browser's Cookie header, as any application does, and nothing
# else of a login.
sub an_application {
    my $app = url('/security/app');
    my $browser = Watched->new;
    $browser->{unwatched} = 1;          # it shows itself what it was sent
    my $begun = begin_login($browser, $app, $op->id('alice'));
    $browser->get(is_answer($op->assertion($begun)));
    my $env = env_of($browser->get($app));
    is $env->{REMOTE_USER}, $op->id('alice'), 'an application: signed in';
    my $cookie = delete $env->{HTTP_COOKIE} // '';
    is_deeply [ map { /\A([^:]*)/ } found_in($cookie) ],
        ['a cookie'], 'an application: control: it gets its Cookie';
    delete $env->{HTTP_HOST};
    is_deeply [ map { found_in("$_=$env->{$_}") } sort keys %$env ], [],
        'an application: nothing else';
}

# httpd says why it does not start, and not with what password.
sub a_place_that_is_wrong {
    is_secret('a password', $PASSWORD);
    for my $wrong ("$place?bogus=1", $place =~ s/127\.0\.0\.1/no such host/r,
                   $place =~ s/redis:/radis:/r) {
        my $own = OpenID2RP::Httpd->new("OpenIDStore \"$wrong\"");
        ok !$own->start, 'a place that is wrong: httpd does not start';
        like $own->says, qr/OpenIDStore/, 'a place that is wrong: it says why';
        push @pages, $own->says;
    }
}

# --- the search -------------------------------------------------------------

sub logs { return join '', map { $_->log } $httpd, $quiet }

sub the_search_finds_what_is_there {
    my %what = map { $_ => 1 } values %secret;
    is_deeply [ sort keys %what ], [ 'a cookie', 'a handle', 'a key',
        'a key of a login', 'a password', 'a signature',
        'what a provider has said' ], 'there are secrets of all kinds';
    cmp_ok scalar(grep { $_ eq 'a cookie' } values %secret), '>', 20,
        'and many of them';
    my @lost = grep { !found_in("a line with $_ in it") } keys %secret;
    is_deeply \@lost, [], 'each of them is found where it is';
    my $log = logs();
    like $log, qr/O2RP-$_:/, "the log has line $_"
        for 111, 113, 112, 104, 106, 110, 120;
    like $log, qr/\[openid2rp:debug\]/, 'the log has every step';
    my $id = $op->id('alice');
    like $log, qr/\Q$id\E/, 'the log says who';
}

sub nothing_is_found {
    is_deeply [ found_in(logs()) ], [], 'nothing secret is in the logs';
    is_deeply [ found_in(join "\n", map { $_->output } $httpd, $quiet) ], [],
        'nothing secret is in the output of httpd';
    is_deeply [ found_in(join "\n", @pages) ], [],
        'nothing secret is in a page, the status, the output of the command, '
        . 'the processes';
}

# ---------------------------------------------------------------------------
package Watched;

# A browser; its cookies are secret, and what it is shown is looked at.

use strict;
use warnings;

sub keep {
    my ($self, $response) = @_;
    for my $line ($response->headers('Set-Cookie')) {
        my ($value) = $line =~ /\A[^=]+=([^;]*)/;
        main::is_secret('a cookie', $_)
            for grep { length >= 16 } split /[^\w-]+/, $value;
    }
    # a redirect's repeats where it leads, for those who are not redirected
    push @pages, $response->body
        unless $response->is_redirect || $self->{unwatched};
    return $self->SUPER::keep($response);
}
