#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The list of attacks, A. Signature: answers that are not signed, not all of
# them, or not by the provider; and what stands beside these.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Digest::SHA qw(hmac_sha1 hmac_sha256);
use MIME::Base64 qw(decode_base64 encode_base64);
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Process qw(slurp);
use OpenID2RP::Siege;
use OpenID2RP::Test;
use Test::More;

my @MANDATORY = qw(op_endpoint claimed_id identity return_to response_nonce
                   assoc_handle);
my @MANDATORY_1 = qw(identity return_to);
my $BAD = [403, 'bad-signature'];
my $MALFORMED = [400, 'bad-message'];
my $UNSIGNED = [400, 'unsigned-field'];

op_reset();
my $op = OpenID2RP::Evil->new;

garbage_signature();
signature_of_something_else();
signature_with_another_key();
sig_and_signed_absent();
sig_and_signed_empty();
mandatory_field_unsigned();
mandatory_field_signed_under_another_name();
signed_names_a_missing_field();
newline_re_split();
newline_re_split_of_1_1();
control_characters_in_a_signed_field();
timing();
wrong_mode();
done_testing;

# --- helpers ----------------------------------------------------------------

# An answer that is true and well signed, and then changed: $change->(\%field).
sub then {
    my ($change, %before) = @_;
    return sub {
        my ($begun, %base) = @_;
        my %field = $op->fields($begun, %base, %before);
        $change->(\%field);
        # A "sig" and a "signed" that are given stay as they are.
        return $op->assertion($begun, %base, %field);
    };
}

# One whose signature is changed: $change->($sig).
sub then_sig {
    my ($change) = @_;
    return then(sub { $_[0]{sig} = $change->($_[0]{sig}) });
}

sub bytes {
    my ($change) = @_;
    return then_sig(sub {
        encode_base64($change->(decode_base64($_[0])), '') });
}

# What a signature covers (2.0, 6.1).
sub text_of {
    my (%field) = @_;
    return join '', map { "$_:$field{$_}\n" } split /,/, $field{signed};
}

# A true signature of another text: $text->(\%field).
sub signs {
    my ($text) = @_;
    return then(sub {
        my ($field) = @_;
        my $key = OpenID2RP::Evil::key_of($field->{assoc_handle});
        my $mac = length $key == 20 ? \&hmac_sha1 : \&hmac_sha256;
        $field->{sig} = encode_base64($mac->($text->($field), $key), '');
    });
}

# In a provider's place, one that confirms whatever it is asked: then nobody
# but this side can refuse.
sub confirming {
    my ($what) = @_;
    $op->lies(check_authentication => is_valid => 'true');
    $what->();
    $op->is_honest;
}

sub all_but { my ($name, @names) = @_; grep { $_ ne $name } @names }

# --- rows -------------------------------------------------------------------

sub garbage_signature {
    everywhere('garbage signature', $op,
        [ 'three letters', $BAD, { sig => 'xyz' }, checked => 1 ],
        [ 'no base64', $BAD, { sig => '!?*' }, checked => 1 ],
        [ 'zeros', $BAD, bytes(sub { "\0" x length $_[0] }), checked => 1 ],
        [ 'one bit, first byte', $BAD, bytes(sub { $_[0] ^ "\x80" }),
          checked => 1 ],
        [ 'one bit, last byte', $BAD,
          bytes(sub { $_[0] ^ ("\0" x (length($_[0]) - 1) . "\1") }),
          checked => 1 ],
        [ 'one byte less', $BAD, bytes(sub { substr $_[0], 0, -1 }),
          checked => 1 ],
        [ 'one byte more', $BAD, bytes(sub { "$_[0]\0" }), checked => 1 ],
        [ 'one byte', $BAD, bytes(sub { substr $_[0], 0, 1 }),
          checked => 1 ],
        [ 'twice', $BAD, bytes(sub { $_[0] x 2 }), checked => 1 ],
        [ 'in hexadecimal', $BAD,
          then_sig(sub { unpack 'H*', decode_base64($_[0]) }), checked => 1 ],
        [ 'something behind it', $BAD, then_sig(sub { "$_[0]AAAA" }),
          checked => 1 ],
        [ 'a blank before it', $BAD, then_sig(sub { " $_[0]" }),
          checked => 1 ],
        [ '4,000 characters', $BAD, { sig => 'A' x 4000 }, checked => 1 ],
    );
}

# The key is right, the text is not the one that "signed" tells.
sub signature_of_something_else {
    my $changed = sub {
        my ($name, $to) = @_;
        return then(sub { $_[0]{$name} = $to->($_[0]{$name}) });
    };
    everywhere('of something else', $op,
        [ 'nothing', $BAD, signs(sub { '' }), checked => 1 ],
        [ 'names with "openid."', $BAD,
          signs(sub { text_of(%{ $_[0] }) =~ s/^/openid./gmr }),
          checked => 1 ],
        [ 'without the last newline', $BAD,
          signs(sub { text_of(%{ $_[0] }) =~ s/\n\z//r }), checked => 1 ],
        [ 'lines that end in CR LF', $BAD,
          signs(sub { text_of(%{ $_[0] }) =~ s/\n/\r\n/gr }), checked => 1 ],
        [ 'the query', $BAD, signs(sub { query_of($_[0]) }), checked => 1 ],
        [ 'values alone', $BAD,
          signs(sub { text_of(%{ $_[0] }) =~ s/^\w+://gmr }), checked => 1 ],
        [ 'another order', $BAD,
          then(sub { $_[0]{signed} = join ',', reverse split /,/,
                     $_[0]{signed} }), checked => 1 ],
        [ 'a list with one name more', $BAD,
          then(sub { $_[0]{signed} .= ',mode' }), checked => 1 ],
        [ 'a list with one name less', $BAD,
          then(sub { $_[0]{signed} =~ s/,x\z// or die }, x => 1),
          checked => 1 ],
        [ 'another value', $BAD,
          then(sub { $_[0]{x} = 2 }, x => 1), checked => 1 ],
        [ 'two values with a boundary between them that moved', $BAD,
          then(sub { @{ $_[0] }{qw(x y)} = ('ab', 'c') }, x => 'a',
               y => 'bc'), checked => 1 ],
        [ 'another nonce', $BAD,
          $changed->('response_nonce', sub { "$_[0]x" }), checked => 1,
          only => 2 ],
        # It means the same, but it is not what was signed.
        [ 'another spelling of return_to', $BAD,
          $changed->('return_to', sub { $_[0] =~ s/http/HTTP/r }),
          checked => 1 ],
        [ 'another spelling of identity', $BAD,
          $changed->('identity', sub { $_[0] =~ s/id/%69d/r }),
          checked => 1 ],
    );
}

sub signature_with_another_key {
    my $forged = OpenID2RP::Evil::new_handle('forged');
    everywhere('another key', $op,
        [ 'none', $BAD, { -key => '' }, checked => 1 ],
        [ 'zeros', $BAD, { -key => "\0" x 32 }, checked => 1 ],
        [ 'one of an attacker', $BAD, { -key => 'k' x 32 }, checked => 1 ],
        [ 'the handle', $BAD,
          then(sub { my %field = %{ $_[0] };
                     $_[0]{sig} = OpenID2RP::Evil::signature(
                         $field{assoc_handle}, %field) }), checked => 1 ],
        [ 'that of another handle', $BAD, { -of => $forged },
          checked => 1 ],
        # Nobody here knows that handle: the provider has to say.
        [ 'with its own handle', $BAD, { assoc_handle => $forged },
          asked => ['OP check_authentication'] ],
        [ 'the other hash', $BAD,
          then(sub {
              my $text = text_of(%{ $_[0] });
              my $key = OpenID2RP::Evil::key_of($_[0]{assoc_handle});
              $_[0]{sig} = encode_base64(length $key == 20
                  ? hmac_sha256($text, $key) : hmac_sha1($text, $key), '');
          }), checked => 1 ],
        [ 'no hash, but the key', $BAD,
          then(sub { $_[0]{sig} = encode_base64(OpenID2RP::Evil::key_of(
              'not' . $_[0]{assoc_handle}), '') }), checked => 1 ],
    );
}

sub sig_and_signed_absent {
    confirming(sub {
        everywhere('absent', $op,
            [ 'both', $MALFORMED, { sig => undef, signed => undef } ],
            [ 'sig', $MALFORMED, { sig => undef } ],
            [ 'signed', $MALFORMED, { signed => undef } ],
            [ 'both, and the handle', $MALFORMED,
              { sig => undef, signed => undef, assoc_handle => undef } ],
            [ 'sig, an unknown handle', $MALFORMED,
              { sig => undef, assoc_handle => 'unknown' } ],
            [ 'sig, another one in its place', $MALFORMED,
              then(sub { $_[0]{Sig} = $_[0]{sig}; $_[0]{sig} = undef }) ]);
    });
}

sub sig_and_signed_empty {
    confirming(sub {
        everywhere('empty', $op,
            [ 'both', $MALFORMED, { sig => '', signed => '' } ],
            [ 'sig', $MALFORMED, { sig => '' } ],
            [ 'signed', $MALFORMED, { signed => '' } ],
            [ 'sig, and an unknown handle', $MALFORMED,
              { sig => '', assoc_handle => 'unknown' } ],
            [ 'the handle', $MALFORMED, { assoc_handle => '' } ],
            [ 'signed, but for a comma', $UNSIGNED, { signed => ',' } ],
            [ 'signed, but for commas', $UNSIGNED, { signed => ',,,,,' } ],
            [ 'signed, but for a blank', $UNSIGNED, { signed => ' ' } ]);
    });
}

sub mandatory_field_unsigned {
    confirming(sub {
        everywhere('unsigned', $op,
            map({ [ $_, $UNSIGNED, { -unsigned => [$_] },
                    only => 2 ] } @MANDATORY),
            map({ [ $_, $UNSIGNED, { -unsigned => [$_] },
                    only => 1 ] } @MANDATORY_1),
            [ 'all but the mode', $UNSIGNED, { signed => 'mode' } ],
            [ 'all of 2.0 that 1.1 has not', $UNSIGNED,
              { signed => join ',', @MANDATORY_1 }, only => 2 ]);
    });
}

# As good as left out: the names in "signed" are exact (2.0, 10.1).
sub mandatory_field_signed_under_another_name {
    my $other = sub {
        my ($what, $name, $separator) = @_;
        map { my ($version, @names) = @$_;
            [ $what, $UNSIGNED, { signed => join $separator // ',',
              all_but('identity', @names), $name }, only => $version ]
        } [ 2, @MANDATORY ], [ 1, @MANDATORY_1 ];
    };
    confirming(sub {
        everywhere('signed as something else', $op,
            $other->('with "openid."', 'openid.identity'),
            $other->('a capital letter', 'Identity'),
            $other->('a blank before it', ' identity'),
            $other->('a blank behind it', 'identity '),
            $other->('less', 'identit'),
            $other->('more', 'identity2'),
            $other->('an escape', 'iden%74ity'),
            $other->('blanks between names', 'identity', ' '),
            $other->('semicolons between names', 'identity', ';'));
    });
}

sub signed_names_a_missing_field {
    my $names = sub {
        my ($what, $tail, %change) = @_;
        map { my ($version, @names) = @$_;
            [ $what, $MALFORMED, { %change, signed => join(',', @names)
              . ",$tail" }, only => $version ]
        } [ 2, @MANDATORY ], [ 1, @MANDATORY_1 ];
    };
    confirming(sub {
        everywhere('a missing field', $op,
            $names->('one', 'missing'),
            $names->('of an extension', 'sreg.email'),
            $names->('of no name', ''),
            $names->('and one that is there, twice', 'missing,identity'),
            $names->('in capitals', 'MODE'),
            $names->('with "openid."', 'openid.mode'),
            $names->('which is there without "openid."', 'x',
                     -extra => [[ 'x', 1 ]]),
            $names->('under a handle that nobody knows', 'missing',
                     assoc_handle => 'unknown'));
    });
}

# Somebody lets an honest provider sign a field of theirs that has lines in it,
# and takes it apart in another way: the signature stays true.
sub newline_re_split {
    my ($mallory, $victim) = map { $op->id($_) } qw(mallory victim);
    my %signed;
    my $before = sub {
        my ($begun) = @_;
        return $op->fields($begun, claimed_id => $mallory,
            identity => $mallory,
            evil => "v\nidentity:$victim\nclaimed_id:$victim",
            signed => join ',', @MANDATORY, 'evil');
    };
    my $split = sub {
        my ($what, $signed, $change) = @_;
        return [ $what, $MALFORMED, sub {
            my ($begun) = @_;
            my %field = $before->($begun);
            my %evil = (%field, claimed_id => $victim, identity => $victim,
                        evil => 'v', $change->(%field), signed => $signed);
            is text_of(%evil), text_of(%field),
                "$what: control: the same text is signed";
            return $op->assertion($begun, %evil);
        } ];
    };
    my ($rest) = $mallory =~ /\Ahttp:(.*)/;
    for my $way ([ 're-split' ], [ 're-split, by POST', by => 'post' ],
                 [ 're-split, direct', target => url('/security/app',
                                                     'security_stateless') ]) {
        my ($name, %is) = @$way;
        siege($name, { op => $op, id => $op->op_identifier, %is,
              control => { claimed_id => $mallory, identity => $mallory },
              who => $mallory },
            [ 'as it was signed', $MALFORMED,
              sub { $op->assertion($_[0], $before->($_[0])) } ],
            $split->('lines in a value',
                'op_endpoint,return_to,response_nonce,assoc_handle,evil,'
                . 'identity,claimed_id',
                sub { my %field = @_;
                    (op_endpoint => "$field{op_endpoint}\nclaimed_id:$mallory"
                        . "\nidentity:$mallory") }),
            $split->('lines in a name',
                "op_endpoint,claimed_id:$mallory\nidentity,return_to,"
                . 'response_nonce,assoc_handle,evil,identity,claimed_id',
                sub { ("claimed_id:$mallory\nidentity" => $mallory) }),
            $split->('colons in names',
                'op_endpoint,claimed_id:http,identity:http,return_to,'
                . 'response_nonce,assoc_handle,evil,identity,claimed_id',
                sub { ('claimed_id:http' => $rest,
                       'identity:http' => $rest) }));
    }
}

sub newline_re_split_of_1_1 {
    my ($mallory, $victim) = map { $op->id1($_) } qw(mallory victim);
    my ($rest) = $mallory =~ /\Ahttp:(.*)/;
    my $before = sub {
        my ($begun) = @_;
        return $op->fields($begun, -version => 1, identity => $mallory,
            evil => "v\nidentity:$victim", signed => 'identity,return_to,evil');
    };
    my $split = sub {
        my ($what, $signed, %change) = @_;
        return [ $what, $MALFORMED, sub {
            my ($begun) = @_;
            my %field = $before->($begun);
            my %evil = (%field, identity => $victim, evil => 'v', %change,
                        signed => $signed);
            is text_of(%evil), text_of(%field),
                "$what: control: the same text is signed";
            return $op->assertion($begun, -version => 1, %evil);
        } ];
    };
    for my $way ([ '1.1, re-split' ], [ '1.1, re-split, direct',
                 target => url('/security/app', 'security_stateless') ]) {
        my ($name, %is) = @$way;
        siege($name, { op => $op, id => $victim, base => { -version => 1 },
              %is },
            [ 'as it was signed', $MALFORMED,
              sub { $op->assertion($_[0], -version => 1,
                                   $before->($_[0])) } ],
            $split->('colons in names',
                'identity:http,return_to,evil,identity',
                'identity:http' => $rest));
    }
}

sub control_characters_in_a_signed_field {
    everywhere('control characters', $op,
        map({ my ($what, $c) = @$_;
            ([ "$what in a value", $MALFORMED, { evil => "a${c}b" } ],
             [ "$what at the end of a value", $MALFORMED,
               { evil => "a$c" } ],
             [ "$what in a name", $MALFORMED, { "ev${c}il" => 'a' } ])
        } [ 'LF', "\n" ], [ 'CR', "\r" ], [ 'NUL', "\0" ]),
        [ 'a colon in a name', $MALFORMED, { 'ev:il' => 'a' } ],
        [ 'LF in a value that is not signed', $MALFORMED,
          { -extra => [[ 'openid.evil', "a\nb" ]] } ],
        [ 'LF in a name that is not signed', $MALFORMED,
          { -extra => [[ "openid.ev\nil", 'a' ]] } ],
        [ 'a colon in a name that is not signed', $MALFORMED,
          { -extra => [[ 'openid.ev:il', 'a' ]] } ]);
}

# How much of a signature is right makes no difference. That it takes the same
# time is not measured here, where it would be noise: MACs are compared by a
# function of libcrypto that is made for it, and by nothing else.
sub timing {
    # One that has made no association for 1.1.
    my $fresh = OpenID2RP::Evil->new;
    my $begin = sub {
        my ($n) = @_;
        return [ "$n bytes", $BAD, sub {
            my %field = $fresh->fields(@_);
            my $mac = decode_base64($field{sig});
            is length $mac, 32, 'control: of 32';
            substr($mac, $n) = ~substr $mac, $n;
            return $fresh->assertion(@_, %field,
                                     sig => encode_base64($mac, ''));
        } ];
    };
    siege('a shared beginning', { op => $fresh },
          map { $begin->($_) } 0 .. 31);

    ok index(slurp($ENV{MODULE}), "\0CRYPTO_memcmp\0") > 0,
        'timing: the module compares in constant time';
    my $source = slurp('src/openid/orp_assoc.c');
    ok $source =~ /\borp_secret_equal\(/, 'timing: so are MACs compared';
    ok $source !~ /\bmemcmp\(/, 'timing: and not in another way';
}

sub wrong_mode {
    my $mode = [400, 'bad-mode'];
    confirming(sub {
        everywhere('wrong mode', $op,
            map({ [ "\"$_\"", $mode, { mode => $_ } ] } 'checkid_setup',
                'checkid_immediate', 'associate', 'check_authentication',
                'bogus', 'ID_RES', 'Id_res', 'id_res ', ' id_res', 'id_res2',
                'id_re', 'id-res', 'id_res,id_res'),
            [ 'an empty one', $mode, { mode => '' } ],
            [ 'none', $MALFORMED, { mode => undef } ],
            [ 'one that is not of OpenID', $MALFORMED,
              { mode => undef, -extra => [[ 'mode', 'id_res' ]] } ],
            [ 'one in capitals', $MALFORMED,
              { mode => undef, -extra => [[ 'OPENID.MODE', 'id_res' ]] } ],
            [ 'a signed one', $mode, then(sub {}, mode => 'checkid_setup',
              signed => join ',', @MANDATORY, 'mode'), only => 2 ]);
    });
}
