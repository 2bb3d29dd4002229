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

    attacks('a name', [ [ 'an empty one', [400, 'bad-message'],
                          sub { $_[0]->post($_[1], '') } ], ... ], op => $op);

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

our @EXPORT = qw(attack attacks parts altered sent_by ways_to_send refused
    insider outsider canary);

my $SENTENCE = qr/\A(?:[A-Z\d]|i-name).*[.]\z/s;
my $SESSION = qr/\A(?:__Host-)?openid2rp=[^;]/;

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

# For one login, other servers are asked ten times at most: the cases in
# batches that leave room for the true answer. The function says how often
# somebody is asked because of a case.
sub batches {
    my ($asks, @cases) = @_;
    my @batches = [];
    my $count = 0;
    for my $case (@cases) {
        $count += $asks->($case);
        if ($count > 8) {
            push @batches, [];
            $count = $asks->($case);
        }
        push @{ $batches[-1] }, $case;
    }
    return @batches;
}

# Many attacks on one login, and at last the true answer, which signs in. Each
# is [WHAT, [STATUS, CODE], SEND, ASKED...]: SEND is a function ($browser, $url,
# $begun) where $url is the true answer's; ASKED what the provider is asked
# because of it. The rest as above.
sub attacks {
    my ($name, $attacks, %is) = @_;
    for my $batch (batches(sub { @{ $_[0] } - 3 }, @$attacks)) {
        attacks_on_one_login($name, $batch, %is);
    }
}

sub attacks_on_one_login {
    my ($name, $attacks, %is) = @_;
    my $op = $is{op};
    my $id = $is{id} // $op->id('alice');
    my $target = $is{target} // url('/security/app');
    my $browser = browser();
    my $begun = begin_login($browser, $target, $id);
    my $url = $op->assertion($begun, %{ $is{control} // {} });
    refusals();
    $op->calls;
    for my $attack (@$attacks) {
        my ($what, $refusal, $send, @asked) = @$attack;
        my $page = $send->($browser, $url, $begun);
        is_deeply { outcome($page), asked => [$op->calls],
                    user => user_of($browser->get($target)) },
            { status => $refusal->[0], refused => [ $refusal->[1] ],
              sentence => 1, sessions => 0, asked => \@asked,
              user => 'nobody' }, "$name: $what"
            or diag defined $page ? $page->alert // $page->body : 'no answer';
    }
    my $back = $browser->get($url);
    is $back->header('Location'), $target, "$name: control: without them, in"
        or diag $back->alert // $back->body;
    insider($browser, $target, $is{who} // $id, "$name: control");
}

# The URL of an answer as the URL with the login's key, and the message.
sub parts { $_[0] =~ /\A([^&]*)&(.*)\z/s }

# How a message comes: functions of the browser, the URL without the message,
# and the message.
my %SENT = (
    GET => sub { $_[0]->get("$_[1]&$_[2]") },
    POST => sub { $_[0]->post($_[1], $_[2]) },
    'POST from elsewhere' => sub {
        my $page = $_[0]->post($_[1], $_[2], cross_site => 1);
        return $page->is_redirect ? $_[0]->get($page->header('Location'))
            : $page;
    },
);
sub ways_to_send { sort keys %SENT }
sub sent_by { $SENT{ $_[0] } }

# A SEND of attacks(): the message is changed by a function, and sent.
sub altered {
    my ($how, $change) = @_;
    return sub {
        my ($browser, $url) = @_;
        my ($key, $message) = parts($url);
        return $SENT{$how}->($browser, $key, $change->($message));
    };
}

# What refused() asks about, as a hash; of no response at all as well.
sub outcome {
    my ($page) = @_;
    return (
        status => $page ? $page->status : undef,
        refused => [refusals()],
        sentence => $page && ($page->alert // '') =~ $SENTENCE ? 1 : 0,
        sessions => scalar grep { /$SESSION/ }
            $page ? $page->headers('Set-Cookie') : (),
    );
}

# Who is signed in at the application: nobody only where it does not run.
sub user_of {
    my ($page) = @_;
    my $env = env_of($page);
    return $env->{REMOTE_USER} // $env->{OPENID2RP_IDENTIFIER}
        // ($page->status == 401 ? 'nobody' : $page->status);
}

# Of a response to an answer of a provider.
sub refused {
    my ($page, $status, $code, $name) = @_;
    is $page->status, $status, "$name: the status is $status";
    is_deeply [refusals()], [$code], "$name: one line in the log says $code";
    like $page->alert // '', $SENTENCE, "$name: a sentence";
    is scalar(grep { /$SESSION/ } $page->headers('Set-Cookie')), 0,
        "$name: no session";
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
