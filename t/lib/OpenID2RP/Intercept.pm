# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Intercept;

=head1 NAME

OpenID2RP::Intercept - what an application behind OpenIDIntercept learns

=head1 SYNOPSIS

    use OpenID2RP::Intercept;

    my $op = provider();
    for my $way (ways()) {              # a query, a form, a form in parts
        my $browser = browser();
        my ($begun, $body, $url) = begin_by($way, $browser, $target, $id);
        my $back = $browser->get($op->assertion($begun));
        called_at($back, '/app?a=b', $way);
        is_deeply known($back, $way), who($op, $id), $way;
    }
    my ($browser, $back) = signed_in($op, $target, $id);
    told_error($browser->get(answer_of_mode($begun, 'cancel')), 'cancelled',
               'a login that was cancelled');
    told_notice($page, qr/a word/, 'a login that cannot begin');
    is header_of($back, 'X-Id-Identifier'), $id;    # at a backend

The application prints its environment (t/cgi/env.cgi), or is a backend that
says what it was asked (Echo.pm). Functions are exported
always.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use OpenID2RP::Test;
use Test::More;

our @EXPORT = qw(ours who known header_of session_cookies called_at path_of
    told_error told_notice ways begin_by signed_in answer_of_mode);

use constant OPENID2 => 'http://specs.openid.net/auth/2.0';
use constant PARTS => 'multipart/form-data; boundary=xx';

# ---------------------------------------------------------------------------
# What the application saw

# What it learned from us.
sub ours {
    my ($env) = @_;
    return { map { $_ => $env->{$_} }
             grep { /\A(?:OPENID2RP_|REMOTE_USER\z|AUTH_TYPE\z)/ }
             keys %$env };
}

# Of an identifier of a provider().
sub who {
    my ($op, $id, %more) = @_;
    return { REMOTE_USER => $id, AUTH_TYPE => 'OpenID',
             OPENID2RP_IDENTIFIER => $id, OPENID2RP_DISPLAY => $id,
             OPENID2RP_PROVIDER => $op->endpoint, %more };
}

# ours(), but for when it was.
sub known {
    my ($page, $name) = @_;
    my $ours = ours(env_of($page));
    like delete $ours->{OPENID2RP_AUTH_TIME} // 'none', qr/\A\d{10}\z/,
        "$name: it is known when" or diag $page->status, ' ', $page->body;
    return $ours;
}

# A header of the request that a backend has seen, as it came.
sub header_of {
    my ($page, $name) = @_;
    my ($value) = (env_of($page)->{HEAD} // '') =~ /^\Q$name\E: ([^\r]*)/mi;
    return $value;
}

sub session_cookies {
    return grep { /\A(?:__Host-)?openid2rp=/ } $_[0]->headers('Set-Cookie');
}

# The application is called by GET at that path and query; it finds nothing of
# the messages between us and the provider.
sub called_at {
    my ($page, $uri, $name) = @_;
    my $env = env_of($page);
    my ($query) = $uri =~ /\?(.*)/s;
    is $page->status, 200, "$name: the application answers";
    is_deeply [ @$env{qw(REQUEST_METHOD REQUEST_URI QUERY_STRING BODY)} ],
        [ 'GET', $uri, $query // '', '' ], "$name: it is called by GET there";
    is_deeply [ grep { $env->{$_} =~ /openid(?:_|%5F|\.)(?!cgi)/i }
                grep { !/\AOPENID2RP_|\AREDIRECT_OPENID2RP_|COOKIE\z/ }
                keys %$env ], [], "$name: nothing of the messages is left";
    is_deeply [ @$env{qw(CONTENT_LENGTH CONTENT_TYPE)} ], [ undef, undef ],
        "$name: and no body is announced";
}

sub path_of { $_[0] =~ s{\Ahttp://[^/]+}{}r }

# The end of a login that has failed, told to the application: the error and
# its code, and nothing else.
sub told_error {
    my ($page, $code, $name) = @_;
    my $ours = ours(env_of($page));
    my $sentence = delete $ours->{OPENID2RP_ERROR};
    is $page->status, 200, "$name: the application answers";
    like $sentence // '', qr/\A[A-Z][^\x00-\x1f\x7f]{5,999}\z/,
        "$name: it gets one sentence";
    is_deeply $ours, { OPENID2RP_ERROR_CODE => $code },
        "$name: the code, and nothing else" or diag $page->body;
    is_deeply [refusals()], [$code], "$name: one line in the log says so";
    is_deeply [ session_cookies($page) ], [], "$name: no session begins";
}

# A login that did not begin: the request arrives as it was, with a notice.
sub told_notice {
    my ($page, $like, $name) = @_;
    my $ours = ours(env_of($page));
    is $page->status, 200, "$name: the application answers";
    my $notice = delete $ours->{OPENID2RP_NOTICE} // '';
    like $notice, $like, "$name: the notice";
    like $notice, qr/\A[^\x00-\x1f\x7f]{10,1000}\z/, "$name: is short text";
    is_deeply $ours, {}, "$name: and nothing else is said";
    is_deeply [ $page->headers('Set-Cookie') ], [], "$name: no cookie is set";
}

# ---------------------------------------------------------------------------
# Logins

sub parts {
    return join '', map({ "--xx\r\nContent-Disposition: form-data; "
        . "name=\"$_->[0]\"\r\n\r\n$_->[1]\r\n" } @_), "--xx--\r\n";
}

# Every way to ask for a login.
my %WAY = (
    'a query' => sub {
        my ($browser, $url, $id, @headers) = @_;
        my $with = $url . ($url =~ /\?/ ? '&' : '?')
            . 'openid_identifier=' . encode($id);
        return ($browser->get($with, headers => \@headers), '', $with);
    },
    'a form' => sub {
        my ($browser, $url, $id, @headers) = @_;
        my $body = 'a=1&openid_identifier=' . encode($id) . '&b=2';
        return ($browser->post($url, $body, headers => \@headers), $body,
                $url);
    },
    'a form in parts' => sub {
        my ($browser, $url, $id, @headers) = @_;
        my $body = parts([ a => "1\r\n2" ], [ openid_identifier => $id ],
                         [ 'f"; filename="x' => "\0" ]);
        return ($browser->send('POST', $url, $body, headers =>
            [ [ 'Content-Type', PARTS ], @headers ]), $body, $url);
    },
);

sub ways { sort keys %WAY }

# begin_by($way, $browser, $url, $identifier, header...): the response, the
# body of the request, and its URL.
sub begin_by {
    my $way = shift;
    return $WAY{$way}->(@_);
}

# A browser, and what the application answered when it came back.
sub signed_in {
    my ($op, $target, $id) = @_;
    my $browser = browser();
    my $begun = begin_login($browser, $target, $id);
    return ($browser, $browser->get($op->assertion($begun)));
}

# The URL of an answer that has a mode, and maybe more fields.
sub answer_of_mode {
    my ($begun, $mode, @more) = @_;
    my %sent = map { @$_ } pairs_of($begun->header('Location'));
    return $sent{'openid.return_to'} . '&'
        . query_of([ 'openid.ns', OPENID2 ], [ 'openid.mode', $mode ], @more);
}

1;
