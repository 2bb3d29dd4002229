# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Attack;

=head1 NAME

OpenID2RP::Attack - what "refused" means

=head1 SYNOPSIS

    use OpenID2RP::Attack;

    attack('garbage signature', [403, 'bad-signature'],
           op => $op, change => { sig => 'xyz' });
    attack('another mode', [400, 'bad-message'],
           op => $op, url => sub { $_[0] =~ s/id_res/bogus/r });

    refused($page, 403, 'bad-signature', 'what it was');
    outsider($browser, $target, 'what it was');     # is not signed in
    insider($browser, $target, $who, 'what it was');

A refusal is: the status, a page with a sentence, one line in the log with the
reason, no session, and nobody signed in at the application. Functions are
exported always.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use OpenID2RP::Test;
use Test::More;

our @EXPORT = qw(attack refused insider outsider canary);

# One attack on a login of its own. First the evil answer, which must be
# refused with [STATUS, CODE]; then, in the same browser and for the same login,
# the true one, which must sign in: so nothing else was wrong.
#   op       the OpenID2RP::Evil that is asked
#   id       the identifier that the login begins with (alice there)
#   target   the page it begins at (/security/app of the main server)
#   change   what is changed in the assertion: see Evil.pm
#   url      a function: from the URL of the assertion to the evil one
#   send     a function ($browser, $url, $begun) in place of $browser->get($url)
#   calls    what the provider is asked because of the evil answer: a list
#   control  the same as change, for the true answer; or 0: there is none
#   who      who is signed in then (the identifier)
sub attack {
    my ($name, $refusal, %is) = @_;
    my $op = $is{op};
    my $id = $is{id} // $op->id('alice');
    my $target = $is{target} // url('/security/app');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $id);
    refusals();
    $op->calls;
    my $url = $op->assertion($begun, %{ $is{change} // {} });
    $url = $is{url}->($url) if $is{url};
    my $page = $is{send} ? $is{send}->($browser, $url, $begun)
        : $browser->get($url);
    refused($page, @$refusal, $name);
    is_deeply [$op->calls], $is{calls} // [],
        "$name: the provider is asked nothing more than that";
    outsider($browser, $target, $name);
    return if defined $is{control} && !$is{control};
    my $back = $browser->get($op->assertion($begun, %{ $is{control} // {} }));
    is $back->header('Location'), $target, "$name: control: without it, in"
        or diag $back->alert // $back->body;
    insider($browser, $target, $is{who} // $id, "$name: control");
}

# Of a response to an answer of a provider.
sub refused {
    my ($page, $status, $code, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    like $page->alert // '', qr/\A(?:[A-Z\d]|i-name).*[.]\z/s,
        "$name: a sentence";
    is scalar(grep { /\A(?:__Host-)?openid2rp=[^;]/ }
              $page->headers('Set-Cookie')), 0, "$name: no session";
}

# Who is signed in at an application that prints its environment
# (t/cgi/env.cgi): nobody, or this one.
sub outsider {
    my ($browser, $target, $name) = @_;
    my $page = $browser->get($target);
    my $env = env_of($page);
    ok $page->status == 401 && !defined $env->{REMOTE_USER}
        && !defined $env->{OPENID2RP_IDENTIFIER}, "$name: nobody is signed in"
        or diag $page->status . ' ' . $page->body;
}

sub insider {
    my ($browser, $target, $who, $name) = @_;
    my $env = env_of($browser->get($target));
    is $env->{REMOTE_USER}, $who, "$name: REMOTE_USER";
    is $env->{OPENID2RP_IDENTIFIER}, $who, "$name: OPENID2RP_IDENTIFIER";
    return $env;
}

# A web server that nobody has any business with: its URL. web_log() says what
# it was asked.
sub canary {
    return web_server(sub { ([ 200, 'Content-Type: text/plain' ], "Seen.\n") });
}

1;
