# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Siege;

=head1 NAME

OpenID2RP::Siege - many evil answers to one login, and then the true one

=head1 SYNOPSIS

    use OpenID2RP::Siege;

    siege('garbage', { op => $op },
        [ 'three letters', [403, 'bad-signature'], { sig => 'xyz' } ],
        [ 'of another provider', [403, 'endpoint-mismatch'], {},
          from => $evil ]);

    everywhere('garbage', $op,
        [ 'three letters', [403, 'bad-signature'], { sig => 'xyz' },
          checked => 1 ]);

A refused answer does not use a login up; so the true answer at the end shows
that in all the others nothing else was wrong. Functions are exported always.

=cut

use v5.14;
use strict;
use warnings;
use Exporter qw(import);
use OpenID2RP::Attack;
use OpenID2RP::Test;
use Test::More;

our @EXPORT = qw(siege everywhere bring);

# A login that is
#   op       begun with this OpenID2RP::Evil
#   id       and this identifier (alice there)
#   target   at this page (/security/app of the main server)
#   by       'get', or 'post': a form on the provider's site
#   base     what every assertion has: see assertion() in Evil.pm
#   watch    name => provider, ...: who may be asked nothing that is not said
#            (OP => op)
#   control  what the true one has besides; 0: there is none
#   who      and whom it signs in (id)
# and cases [WHAT, [STATUS, CODE], CHANGE, ...]. CHANGE is for assertion(), or a
# function ($begun, %base) that returns the whole URL. Then
#   from     the provider whose assertion it is (op)
#   asked    because of it, who is asked what: ['OP check_authentication']
sub siege {
    my ($name, $is, @cases) = @_;
    siege_one_login($name, $is, @$_) for batches(@cases);
}

# As many cases as one login can bear.
sub batches {
    return OpenID2RP::Attack::batches(sub {
        my (undef, undef, undef, %more) = @{ $_[0] };
        scalar @{ $more{asked} // [] } }, @_);
}

# The URL of a case's answer.
sub lie {
    my ($begun, $from, $base, $change) = @_;
    return ref $change eq 'CODE' ? $change->($begun, %$base)
        : $from->assertion($begun, %$base, %$change);
}

sub siege_one_login {
    my ($name, $is, @cases) = @_;
    my %is = (id => $is->{op}->id('alice'), target => url('/security/app'),
              by => 'get', base => {}, watch => { OP => $is->{op} },
              control => {}, %$is);
    my $browser = browser();
    my $begun = begin_login($browser, @is{qw(target id)});
    refusals();
    asked($is{watch});
    for my $case (@cases) {
        my ($what, $refusal, $change, %more) = @$case;
        $what = "$name: $what";
        my $url = lie($begun, $more{from} // $is{op}, $is{base}, $change);
        refused(bring($browser, $url, $is{by}), @$refusal, $what);
        is_deeply [asked($is{watch})], $more{asked} // [],
            "$what: nobody is asked anything more than that";
        outsider($browser, $is{target}, $what);
    }
    return if !$is{control};
    my $url = $is{op}->assertion($begun, %{ $is{base} }, %{ $is{control} });
    my $back = bring($browser, $url, $is{by});
    is $back->header('Location'), $is{target},
        "$name: control: the true answer signs in"
        or diag $back->alert // $back->body;
    insider($browser, $is{target}, $is{who} // $is{id}, "$name: control");
}

sub asked {
    my ($watch) = @_;
    return map { my $name = $_; map { "$name $_" } $watch->{$name}->calls }
        sort keys %$watch;
}

# A browser brings an answer.
sub bring {
    my ($browser, $url, $by) = @_;
    return $browser->get($url) if $by eq 'get';
    my ($to, $form) = $url =~ /\A([^&]*)&?(.*)\z/s;
    my $page = $browser->post($to, $form, cross_site => 1);
    return $page if !$page->is_redirect || $page->header('Location') ne $to;
    return $browser->get($to);
}

# The same siege in every way that an answer can come and be verified. A case
# may have besides
#   checked  1: where there is no association, the provider is asked
#   only     2 or 1: only in that version
sub everywhere {
    my ($name, $op, @cases) = @_;
    my $direct = url('/security/app', 'security_stateless');
    for my $way (
        [ '2.0' ],
        [ '2.0 by POST', by => 'post' ],
        [ '2.0, direct', target => $direct ],
        [ '1.1', version => 1 ],
        [ '1.1, direct, by POST', version => 1, target => $direct,
          by => 'post' ],
    ) {
        my ($what, %is) = @$way;
        my $version = delete $is{version} // 2;
        my @here = map { my ($called, $refusal, $change, %more) = @$_;
            my ($only, $checked) = delete @more{qw(only checked)};
            $more{asked} //= ['OP check_authentication']
                if $checked && $is{target};
            $only && $only != $version ? ()
                : [ $called, $refusal, $change, %more ];
        } @cases;
        siege("$name, $what", { op => $op, %is, $version == 1
            ? (id => $op->id1('bob'), base => { -version => 1 }) : () },
            @here);
    }
}

1;
