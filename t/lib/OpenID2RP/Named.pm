# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Named;

=head1 NAME

OpenID2RP::Named - what people are called in sections of a site

=head1 SYNOPSIS

    use OpenID2RP::Named;

    my $site = OpenID2RP::Named->new;
    $site->has(nick => [ 'OpenIDRemoteUser sreg.nickname' ],
               -server => [ 'OpenIDProviderAllow ' . $site->op->url ]);
    $site->start or die;
    my $alice = $site->member('alice', sreg(nickname => 'al'));
    $site->is_named($alice, 'nick', 'al', 'a nickname');
    $site->is_nobody($alice, 'mail', qr/mail address/, 'who has none');
    my $page = $site->arrive('nick', 'bob');    # a login that begins there

An httpd of its own (L<OpenID2RP::Httpd>) and a provider (L<OpenID2RP::Evil>).
A section NAME is the page /NAME.html; httpd says in headers of its own what
REMOTE_USER, OPENID2RP_IDENTIFIER and OPENID2RP_ERROR_CODE were, whatever the
answer is.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use OpenID2RP::Evil;
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(lines_of write_file);
use OpenID2RP::Test;
use Test::More;

our @EXPORT = qw(ax sreg);

sub sreg {
    my (%field) = @_;
    return ('ns.sreg' => 'http://openid.net/extensions/sreg/1.1',
        map { ("sreg.$_" => $field{$_}) } keys %field);
}

# ax('http://axschema.org/contact/email', VALUE...)
sub ax {
    my ($type, @values) = @_;
    my $n = 0;
    return ('ns.ax' => 'http://openid.net/srv/ax/1.0',
        'ax.mode' => 'fetch_response', 'ax.type.m' => $type,
        'ax.count.m' => scalar @values,
        map { ('ax.value.m.' . ++$n => $_) } @values);
}

sub new {
    my ($class) = @_;
    return bless { httpd => OpenID2RP::Httpd->new,
                   op => OpenID2RP::Evil->new }, $class;
}

sub httpd { $_[0]{httpd} }
sub op { $_[0]{op} }
sub dir { $_[0]{httpd}->dir }
sub start { $_[0]{httpd}->start }
sub page { $_[0]{httpd}->origin . "/$_[1].html" }

# Lines of the server, -server => [...], and of each section.
sub has {
    my ($self, %section) = @_;
    my @server = @{ delete $section{-server} // [] };
    my @modules = @{ delete $section{-modules} // [] };
    my $wanted = join '|', 'headers', @modules;
    my @load = grep { /\ALoadModule (?:$wanted)_module/ }
        lines_of('t/inherited.conf');
    chomp @load;
    write_file($self->dir . "/site/$_.html", "PROTECTED-BODY\n")
        for keys %section;
    $self->{httpd}->configure(@load,
        'Header always set X-Name "expr=%{REMOTE_USER}"',
        'Header always set X-Is "expr=%{reqenv:OPENID2RP_IDENTIFIER}"',
        'Header always set X-Code "expr=%{reqenv:OPENID2RP_ERROR_CODE}"',
        @server,
        map { ("<Location \"/$_.html\">", @{ $section{$_} }, '</Location>') }
            sort keys %section);
    return $self;
}

# What `httpd -t` says to that: '' where it takes it.
sub objection {
    my ($self, %section) = @_;
    $self->has(%section);
    my ($good, $text) = $self->{httpd}->command('-t');
    return $good ? '' : $text =~ s/^AH00526: .*\n//mgr || 'no word';
}

# A browser that has signed in on the page without settings of its own.
sub member {
    my ($self, $name, @answer) = @_;
    my $browser = browser();
    my $back = $self->answer($browser, 'page', $name, @answer);
    is $browser->get($back)->header('Location'), $self->page('page'),
        "$name is signed in";
    return $browser;
}

# The way back from the provider.
sub answer {
    my ($self, $browser, $section, $name, @answer) = @_;
    my $begun = begin_login($browser, $self->page($section),
                            $self->{op}->id($name));
    return $self->{op}->assertion($begun, @answer);
}

# A login in a section: the response to its return, and the browser.
sub arrive {
    my ($self, $section, $name, @answer) = @_;
    my $browser = browser();
    my $page = $browser->get($self->answer($browser, $section, $name,
                                           @answer));
    return wantarray ? ($page, $browser) : $page;
}

# Of a person, what this site says.
sub id { $_[0]{op}->id($_[1]) }

sub is_named {
    my ($self, $browser, $section, $name, $what) = @_;
    my $page = $browser->get($self->page($section));
    is_deeply [ $page->status, $page->header('X-Name'), $page->body ],
        [ 200, $name, "PROTECTED-BODY\n" ], "$section: $what"
        or diag $page->body, $self->{httpd}->log;
}

sub is_nobody {
    my ($self, $browser, $section, $sentence, $what) = @_;
    my $page = $browser->get($self->page($section));
    $self->is_refused($page, 403, $sentence, "$section: $what");
}

# No name, no session, nothing of what is protected.
sub is_refused {
    my ($self, $page, $status, $sentence, $what) = @_;
    is $page->status, $status, $what or diag $page->body;
    like $page->alert // $page->body, $sentence, "$what: with a sentence"
        if $sentence;
    is_deeply [ map { $page->header($_) // '' } qw(X-Name X-Is) ],
        [ '', '' ], "$what: nobody is named";
    is_deeply [ grep { !/\Aopenid2rp_login_[\w-]+=;/ }
                $page->headers('Set-Cookie') ], [], "$what: no session";
    unlike $page->body, qr/PROTECTED-BODY/, "$what: nothing is shown";
}

# The lines of the log since the last call.
sub log {
    my ($self) = @_;
    my @lines = $self->{httpd}->log;
    my $from = $self->{read} // 0;
    $self->{read} = @lines;
    return @lines[$from .. $#lines];
}

1;
