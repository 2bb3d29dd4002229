# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::InterceptSiege;

=head1 NAME

OpenID2RP::InterceptSiege - what "refused" means under OpenIDIntercept

=head1 SYNOPSIS

    use OpenID2RP::InterceptSiege;

    my ($op, $evil, $canary) = scene();     # first of all
    siege('garbage', { target => app('kept/') },
        [ 'three letters', 'bad-signature', { sig => 'xyz' } ],
        [ 'of another provider', 'endpoint-mismatch', {}, from => $evil ]);
    everywhere('garbage',
        [ 'three letters', 'bad-signature', { sig => 'xyz' }, checked => 1 ]);

    my $browser = browser();
    my $url = answered($browser, app(''), $op->id('alice'));
    refused(browser()->get($url), 'other-browser', 'in another browser');
    accepted($browser->get($url), $op->id('alice'), 'control');
    is_deeply [asked()], [];                # nobody is

It is what Attack.pm and Siege.pm are for pages that the module protects. The
applications are in t/conf/security_intercept.conf.in. Everything is a plain
function, exported always.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use OpenID2RP::Attack qw(canary parts);
use OpenID2RP::Evil;
use OpenID2RP::Intercept qw(ours);
use OpenID2RP::Siege ();
use OpenID2RP::Test;
use Test::More;

our @EXPORT = qw($QUERY scene app told is_sentence sessions asked_with refused
    accepted nobody noticed bring answered siege everywhere altered asked);

# What an application was asked with comes back byte for byte.
our $QUERY = 'a=1&a=&%61=%20b&&c';

my ($op, $evil, $canary);

# The provider that is attacked, an evil one, and a web server that nobody has
# any business with.
sub scene {
    op_reset();
    ($op, $evil) = map { OpenID2RP::Evil->new } 1, 2;
    $canary = canary();
    return ($op, $evil, $canary);
}

# ---------------------------------------------------------------------------
# Applications

# app(''), app('kept/', VHOST)
sub app { my ($of, $vhost) = @_; return url("/si/${of}app?$QUERY", $vhost) }

# What an application was told, without the prefix OPENID2RP_.
sub told {
    my ($page) = @_;
    my $ours = ours(env_of($page));
    return { map { (s/\AOPENID2RP_//r => $ours->{$_}) } keys %$ours };
}

# One sentence, as the contract has it.
sub is_sentence {
    my ($text) = @_;
    return 0 unless defined $text && length $text <= 1000
        && utf8::decode($text);
    return $text =~ /\A[^\s\p{Cc}](?:\P{Cc}*\S)?\z/ ? 1 : 0;
}

sub sessions {
    return scalar grep { /\A(?:__Host-)?openid2rp=[^;]/ }
        $_[0]->headers('Set-Cookie');
}

# The application was asked, and with what: the query, and whether there is
# anything of an answer anywhere.
sub asked_with {
    my ($page) = @_;
    my $env = env_of($page);
    return (status => $page->status, method => $env->{REQUEST_METHOD},
            query => $env->{QUERY_STRING},
            traces => [ grep { $_ ne 'HTTP_COOKIE' && $env->{$_}
                                   =~ /openid(?:_return|_ident|\.)/i }
                        grep { !/\AOPENID2RP_/ } sort keys %$env ]);
}

# An answer is refused: the application is told why, and nothing of a user, and
# so is the log. Of another login, or of none, the query is not known.
sub refused {
    my ($page, $code, $name, %is) = @_;
    my $told = told($page);
    my %other = %$told;
    my $sentence = delete $other{ERROR};
    delete $other{ERROR_CODE};
    is_deeply { asked_with($page), code => $told->{ERROR_CODE},
        sentence => is_sentence($sentence), log => [refusals()],
        users => \%other, sessions => sessions($page) },
        { status => 200, method => 'GET', query => $is{query} // $QUERY,
          traces => [], code => $code, sentence => 1, log => [$code],
          users => {}, sessions => 0 }, "$name: refused"
        or diag explain [ $page->status, $page->headers('Location'), $told ];
}

# Somebody is signed in: this one, and there is no error.
sub accepted {
    my ($page, $who, $name, %is) = @_;
    my $told = told($page);
    is_deeply { asked_with($page), log => [refusals()],
        map { ($_ => $told->{$_}) } qw(IDENTIFIER REMOTE_USER AUTH_TYPE
                                       ERROR ERROR_CODE NOTICE) },
        { status => 200, method => 'GET', query => $is{query} // $QUERY,
          traces => [], log => [], IDENTIFIER => $who, REMOTE_USER => $who,
          AUTH_TYPE => 'OpenID', map { ($_ => undef) } qw(ERROR ERROR_CODE
                                                          NOTICE) },
        "$name: signed in"
        or diag explain [ $page->status, $page->headers('Location'), $told ];
    return $told;
}

# Nobody is: the application is told nothing at all.
sub nobody {
    my ($page, $name) = @_;
    is_deeply { status => $page->status, told => told($page) },
        { status => 200, told => {} }, "$name: nobody is signed in";
}

# No login begins; the application gets the request itself, and knows why.
#   log    the reasons in the log
#   query, body  what it was sent with
sub noticed {
    my ($page, $name, %is) = @_;
    my $told = told($page);
    my $env = env_of($page);
    is_deeply { status => $page->status, names => [ sort keys %$told ],
        sentence => is_sentence($told->{NOTICE}), log => [refusals()],
        query => $env->{QUERY_STRING}, body => $env->{BODY},
        cookies => [ $page->headers('Set-Cookie') ] },
        { status => 200, names => ['NOTICE'], sentence => 1,
          log => $is{log} // [], query => $is{query} // $QUERY,
          body => $is{body} // '', cookies => [] },
        "$name: no login begins" or diag $page->body;
    return $told->{NOTICE};
}

# ---------------------------------------------------------------------------
# Logins

# A browser brings an answer; what comes by POST comes again by GET.
sub bring {
    my ($browser, $url, $by) = @_;
    return $browser->get($url) if ($by // 'get') eq 'get';
    my ($to, $form) = $url =~ /\A([^&]*)&?(.*)\z/s;
    my $page = $browser->post($to, $form, cross_site => 1);
    is $page->header('Location'), $to, 'by POST: the browser comes again';
    return $browser->get($page->header('Location') // $to);
}

sub answered {
    my ($browser, $target, $id) = @_;
    return $op->assertion(begin_login($browser, $target // app(''),
                                      $id // $op->id('alice')));
}

# Lies to one login, and then the truth, as siege() of Siege.pm: [WHAT, CODE,
# CHANGE, ...], where CHANGE is for assertion() of Evil.pm, or a function
# ($begun, %base) that returns the whole URL. Then
#   asked    because of it, who is asked what: ['OP check_authentication']
#   from     whose assertion it is (op)
#   query    what the application is called with, if it is not what it was
# and for all
#   op, id, target, by, base, control, who   as there
sub siege {
    my ($name, $is, @cases) = @_;
    siege_one_login($name, $is, @$_) for OpenID2RP::Siege::batches(@cases);
}

sub siege_one_login {
    my ($name, $is, @cases) = @_;
    my %is = (op => $op, target => app('kept/'), base => {}, control => {},
              %$is);
    my $id = $is{id} // $is{op}->id('alice');
    my $browser = browser();
    my $begun = begin_login($browser, $is{target}, $id);
    refusals();
    asked();
    for my $case (@cases) {
        my ($what, $code, $change, %more) = @$case;
        $what = "$name: $what";
        my $url = OpenID2RP::Siege::lie($begun, $more{from} // $is{op},
                                        $is{base}, $change);
        refused(bring($browser, $url, $is{by}), $code, $what,
                exists $more{query} ? (query => $more{query}) : ());
        is join(', ', asked()), join(', ', @{ $more{asked} // [] }),
            "$what: nobody is asked anything more than that";
    }
    nobody($browser->get($is{target}), "$name: all these");
    my $url = $is{op}->assertion($begun, %{ $is{base} }, %{ $is{control} });
    accepted(bring($browser, $url, $is{by}), $is{who} // $id,
             "$name: control: the truth");
    is told($browser->get($is{target}))->{IDENTIFIER}, $is{who} // $id,
        "$name: control: and it is kept" if $is{target} =~ m{/kept/};
    asked();
}

# Who has been asked what since the last call.
sub asked {
    return (OpenID2RP::Siege::asked({ OP => $op, E => $evil }),
            map { "canary $_" } web_log($canary));
}

# The same in every way that an answer can come and be verified; checked => 1:
# where there is no association, the provider is asked.
sub everywhere {
    my ($name, @cases) = @_;
    my $direct = app('kept/', 'security_stateless');
    for my $way ([ '2.0' ], [ '2.0, by POST', by => 'post' ],
                 [ '2.0, direct', target => $direct ],
                 [ '1.1', id => $op->id1('bob'), base => { -version => 1 } ],
                 [ '1.1, direct, by POST', id => $op->id1('bob'), by => 'post',
                   base => { -version => 1 }, target => $direct ]) {
        my ($what, %is) = @$way;
        siege("$name, $what", \%is, map {
            my ($called, $code, $change, %more) = @$_;
            $more{asked} = ['OP check_authentication']
                if delete $more{checked} && $is{target};
            delete $more{only} && $is{base} ? ()
                : [ $called, $code, $change, %more ] } @cases);
    }
}

# An answer that is true and well signed, and whose URL is then changed.
sub altered {
    my ($change) = @_;
    return sub {
        my ($begun, %base) = @_;
        my ($key, $message) = parts($op->assertion($begun, %base));
        local $_ = $message;
        return "$key&" . $change->();
    };
}

1;
