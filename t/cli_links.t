#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# The command openid2rp links, from outside: what it prints, what it says, and
# how it ends. What becomes of files is tested in t/unit/test_links_*.c.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;

use JSON::PP ();
use OpenID2RP::Command;
use OpenID2RP::Process qw(slurp write_file);
use Test::More;

my $FILE = "$scratch/links";

links_are_added_listed_and_removed($_) for $FILE, "txt:$FILE-2", "dbm:$FILE-3";
a_list_is_a_file();
a_list_is_what_httxt2dbm_takes();
json_is_a_list_of_objects();
one_identifier_is_listed();
mistakes_are_warnings();
what_is_odd_is_shown_harmless();
refusals_say_why();
a_missing_file_is_made_by_add_only();
a_file_that_cannot_be_written_stays();
a_wrong_call_changes_nothing();
done_testing();

# ----------------------------------------------------------------------------

sub links_are_added_listed_and_removed {
    my ($file) = @_;
    my $name = $file =~ s{\Q$scratch\E/}{}r;
    works([$file, 'add', 'Example.COM/~al', 'alice'], '', "$name: add");
    works([$file, 'list'], "http://example.com/~al alice\n", 'list');
    works([$file, 'add', 'http://example.com/~al', 'alice'], '',
          'add the same again');
    works([$file, 'remove', 'example.com/~al', 'alice'], '', 'remove');
    works([$file, 'list'], '', 'nothing is left');
    works([$file, 'add', '--', '=name', '-x'], '', 'an account with a dash');
    works([$file, 'list'], "=name -x\n", 'is listed');
    works([$file, 'remove', 'xri://=name'], '', 'remove without an account');
    works([$file, 'list'], '', 'nothing is left');
}

sub a_list_is_a_file {
    my $text = "https://a.example/#1 Al  B. \xC3\xA9\n=name bob\n";
    write_file($FILE, "# who\r\n\r\n  $text\t\nA.example:443 x");
    my (undef, $list) = links($FILE, 'list');
    is($list, "${text}http://a.example:443/ x\n", 'a list is normalized');
    write_file("$FILE-copy", $list);
    works(["$FILE-copy", 'list'], $list, 'and as a file says the same');
}

sub a_list_is_what_httxt2dbm_takes {
    my ($program) = grep { -x } map { "$_/httxt2dbm" }
        split(/:/, $ENV{PATH} // ''), qw(/usr/sbin /usr/bin);
  SKIP: {
        skip('there is no httxt2dbm', 2) unless $program;
        write_file($FILE, "Example.COM alice\nhttps://b.example/#1 bob\n");
        my (undef, $list) = links($FILE, 'list');
        write_file("$FILE-list", $list);
        is(system($program, '-i', "$FILE-list", '-o', "$FILE-dbm"), 0,
           'httxt2dbm takes a list');
        my ($code, $out, $err) = links("dbm:$FILE-dbm", 'list');
        is_deeply([$code, join("\n", sort split /\n/, $out), $err],
                  [0, "http://example.com/ alice\nhttps://b.example/#1 bob",
                   ''], 'and what it makes says the same');
    }
}

sub json_is_a_list_of_objects {
    write_file($FILE, "# x\na.example Al \"B\" \\ \xC3\xA9\n=name bob\n");
    my ($code, $out, $err) = links('--json', $FILE, 'list');
    is_deeply([$code, JSON::PP->new->utf8->decode($out), $err],
              [0, [{ identifier => 'http://a.example/',
                     account => "Al \"B\" \\ \x{E9}" },
                   { identifier => '=name', account => 'bob' }], ''],
              'JSON is a list of objects');
    works([$FILE, 'list', '=name', '--json'],
          qq([{"identifier": "=name", "account": "bob"}]\n), 'of one, too');
    write_file($FILE, '');
    works([$FILE, '--json', 'list'], "[]\n", 'and of none');
}

sub one_identifier_is_listed {
    write_file($FILE, "https://a.example/ a\nhttps://a.example/#1 b\n"
               . "=name a\n");
    works([$FILE, 'list', 'HTTPS://A.example'], "https://a.example/ a\n",
          'one identifier is listed');
    works([$FILE, 'list', 'https://a.example/#1'],
          "https://a.example/#1 b\n", 'with its fragment');
    refused([$FILE, 'list', 'a.example'],
            qr/\Aopenid2rp: not-found: http:\/\/a\.example\/ is not linked/,
            'one that is not there is refused');
    refused([$FILE, 'list', 'ftp://a.example'], qr/bad-identifier/,
            'and what is none');
}

sub mistakes_are_warnings {
    write_file($FILE, "# x\nhttps://a.example/\nb.example b\nc.example c\n"
               . "c.example d\n");
    my ($code, $out, $err) = links($FILE, 'list');
    is_deeply([$code, $out], [0, "http://b.example/ b\n"],
              'the other lines are listed');
    my @warnings = split /\n/, $err;
    is(scalar @warnings, 3, 'each mistake is a line');
    my @says = ('line 2: the account is missing',
                'line 4: http://c.example/ has another account on line 5',
                'line 5: http://c.example/ has another account on line 4');
    for my $i (0 .. 2) {
        like($warnings[$i], qr/\Aopenid2rp: warning: \Q$FILE: $says[$i]\E/,
             $says[$i]);
    }
    refused([$FILE, 'list', 'c.example'], qr/^openid2rp: not-found: /m,
            'an identifier with two accounts has none');
}

sub what_is_odd_is_shown_harmless {
    write_file($FILE, "ftp://\xC2\x9B31m x\n=a\e[31m x\n=b\xE9 x\n");
    my ($code, $out, $err) = links($FILE, 'list');
    is_deeply([$code, $out], [0, ''], 'lines with controls are no links');
    unlike($err, qr/[^\x20-\x7E\n]/, 'and are shown without');
    like($err, qr/line $_: /, "line $_ is told") for 1 .. 3;
}

sub refusals_say_why {
    my $text = "# x\nhttps://a.example/ alice\n";
    my @calls = (
        [['add', 'https://a.example/', 'bob'],
         qr/exists: https:\/\/a\.example\/ has another account, "alice"/,
         'another account'],
        [['add', 'ftp://a/', 'bob'], qr/bad-identifier: /, 'no OpenID'],
        [['add', 'b.example', ''], qr/The account is missing/, 'no account'],
        [['add', 'b.example', "a\nb"], qr/control character/,
         'a line in an account'],
        [['add', 'b.example', ' a'], qr/blank/, 'a blank before an account'],
        [['remove', 'https://b.example/'],
         qr/not-found: https:\/\/b\.example\/ is not linked to an account/,
         'what is not there'],
        [['remove', 'a.example'], qr/not-found: /, 'the other scheme'],
        [['remove', 'https://a.example/', 'bob'],
         qr/is not linked to the account "bob"/, 'another account'],
        [['remove', 'ftp://a/'], qr/bad-identifier: /, 'no OpenID'],
    );
    for (@calls) {
        my ($args, $says, $name) = @$_;
        write_file($FILE, $text);
        refused([$FILE, @$args], $says, "$args->[0]: $name");
        is(slurp($FILE), $text, 'and nothing has changed');
    }
    works([$FILE, 'remove', 'https://a.example/'], '', 'the right one goes');
    is(slurp($FILE), "# x\n", 'and only it');
}

sub a_missing_file_is_made_by_add_only {
    for my $place ("$FILE-none", "dbm:$FILE-no-dbm") {
        refused([$place, 'list'], qr/links-failed: .*No such file/,
                'list of a missing file');
        refused([$place, 'remove', '=name'], qr/links-failed: .*No such file/,
                'remove from one');
        my ($path) = $place =~ m{(/.*)};
        ok(!-e $path, 'makes none');
        works([$place, 'add', '=name', 'bob'], '', 'add does');
        works([$place, 'list'], "=name bob\n", 'with the link in it');
    }
    refused(["$scratch/no/links", 'add', '=name', 'bob'], qr/links-failed: /,
            'but makes no folder');
}

sub a_file_that_cannot_be_written_stays {
    my $text = "=name bob\n";
    my $folder = "$scratch/taken";
    mkdir $folder or die "$folder: $!";
    write_file("$folder/links", $text);
    mkdir "$folder/links.new" or die "$folder/links.new: $!";
    refused(["$folder/links", 'add', '=other', 'x'],
            qr/links\.new cannot be removed: /, 'a file that has no room');
    is(slurp("$folder/links"), $text, 'stays as it was');
    rmdir "$folder/links.new" or die "$folder/links.new: $!";
    works(["$folder/links", 'add', '=other', 'x'], '', 'and is changed later');
}

sub a_wrong_call_changes_nothing {
    my $text = "=name bob\n";
    my @calls = (
        [[], 'takes 2 to 4 arguments, and got 0', 'nothing at all'],
        [[$FILE], 'got 1', 'nothing to do'],
        [[$FILE, 'clear'], '"clear"', 'an unknown thing to do'],
        [[$FILE, 'add', '=x'], 'add takes an ID and an ACCOUNT',
         'add without an account'],
        [[$FILE, 'add', '=x', 'y', 'z'], 'got 5', 'an account of two words'],
        [[$FILE, 'remove'], 'remove takes an ID', 'remove what?'],
        [[$FILE, 'list', '=name', 'bob'], 'list takes an ID or nothing',
         'list of an account'],
        [['', 'list'], 'empty', 'no file'],
        [['dbd:SELECT 1', 'list'], 'database', 'a database'],
        [[$FILE, 'remove', '=name', '--store', 'shm'], '--store',
         'an option of others'],
    );
    write_file($FILE, $text);
    for (@calls) {
        my ($args, $says, $name) = @$_;
        my ($code, $out, $err) = links(@$args);
        is_deeply([$code, $out], [2, ''], "wrong: $name");
        like($err, qr/\Q$says\E.*\nusage: openid2rp links /, 'says so');
    }
    is(slurp($FILE), $text, 'nothing has changed');
}

# ----------------------------------------------------------------------------

sub works {
    my ($args, @expected) = @_;
    prints(['links', @$args], @expected);
    return;
}

sub refused {
    my ($args, $says, $name) = @_;
    my ($code, $out, $err) = links(@$args);
    is_deeply([$code, $out], [1, ''], $name);
    like($err, $says, 'and says why');
    return;
}

sub links { return openid2rp('links', @_) }
