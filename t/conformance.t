#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# docs/conformance.md against the tree: every clause of every specification is
# there, every function is in its source, and every test is where it is said
# to be. It asks no server anything.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Test::More;

use constant DOCUMENT => 'docs/conformance.md';
use constant COLUMNS => qw(clause duty level function test note broken);

# All clauses of each specification, by the titles in the document. Of the
# specifications without a text in this list, those that it treats.
my %clauses = (
    'OpenID Authentication 2.0' => '1 2 3 4 4.1 4.1.1 4.1.2 4.1.3 4.2 5 5.1
        5.1.1 5.1.2 5.1.2.1 5.1.2.2 5.2 5.2.1 5.2.2 5.2.3 6 6.1 6.2 7 7.1 7.2
        7.3 7.3.1 7.3.2 7.3.2.1 7.3.2.1.1 7.3.2.1.2 7.3.2.2 7.3.2.3 7.3.2.4
        7.3.3 8 8.1 8.1.1 8.1.2 8.2 8.2.1 8.2.2 8.2.3 8.2.4 8.3 8.3.1 8.3.2
        8.4 8.4.1 8.4.2 9 9.1 9.2 9.2.1 9.3 10 10.1 10.2 10.2.1 10.2.2 11 11.1
        11.2 11.3 11.4 11.4.1 11.4.2 11.4.2.1 11.4.2.2 11.5 11.5.1 11.5.2 12
        13 14 14.1 14.1.1 14.1.2 14.1.3 14.2 14.2.1 14.2.2 15 15.1 15.1.1
        15.1.2 15.1.2.1 15.2 15.3 15.4 15.5 15.6 16 A A.1 A.2 A.3 A.4 A.5 B
        C',
    'OpenID Authentication 1.1' => '1 2 3 3.1 3.1.1 3.1.2 3.2 3.2.1 3.3 3.3.1
        3.4 3.4.1 3.5 4 4.1 4.1.1 4.1.2 4.1.3 4.2 4.2.1 4.2.2 4.2.2.1 4.2.2.2
        4.2.2.3 4.2.3 4.3 4.3.1 4.3.2 4.3.2.1 4.3.2.2 4.3.3 4.4 4.4.1 4.4.2
        4.4.3 5 6 A A.1 B C D E',
    'Yadis 1.0' => '6.2.3 6.2.4 6.2.5 6.2.6 7',
    'Simple Registration 1.0 and 1.1' => '1 2 3 4 5 6',
    'Attribute Exchange 1.0' => '1 1.1 2 3 3.1 3.2 3.3 3.3.1 4 5 5.1 5.2 6 6.1
        6.2 6.2.1 6.2.2 7 8 9 9.1 9.2',
    'Provider Authentication Policy Extension 1.0' => '1 1.1 1.2 1.3 2 3 4 5
        5.1 5.2 6 6.1 7 A A.1 A.1.1 A.1.2 B',
    'Launchpad teams' => 'request response',
    'User Interface Extension 1.0' => '1 2 3 4 5 5.1 6 7 8 9 10 A',
);

my %text;           # file => its text
my %rows;           # title => rows with all columns
my %silent;         # title => clauses without a duty

read_document();
the_document_has_all_specifications();
the_rows_are_complete();
functions_are_where_they_are_said_to_be();
tests_are_where_they_are_said_to_be();
every_clause_is_there($_) for sort keys %clauses;
the_numbers_of_the_summary();
done_testing;

sub text_of {
    my ($file) = @_;
    return $text{$file} //= do {
        open my $in, '<', $file;
        local $/;
        $in ? <$in> : '';
    };
}

sub read_document {
    my $title = '';
    for my $line (split /\n/, text_of(DOCUMENT)) {
        $title = $1 if $line =~ /\A## (.+)/;
        next if $line !~ /\A\|/ || $line =~ /\A\|(?:-+\|)+\z/;
        my @full = split /\s*\|\s*/, $line =~ s/\A\|\s*//r, -1;
        pop @full;              # what stands behind the last bar
        next if ($full[0] // '') =~ /\Aclauses?\z/;
        if (@full == 2) {
            push @{ $silent{$title} }, split /,\s*/, $full[0];
        }
        else {
            my %row = (line => $line, cells => scalar @full);
            @row{ (COLUMNS) } = @full;
            push @{ $rows{$title} }, \%row;
        }
    }
}

sub all_rows { map { @{ $rows{$_} } } sort keys %rows }

sub the_document_has_all_specifications {
    my %there = map { $_ => 1 } keys %rows, keys %silent;
    is_deeply [ sort keys %there ], [ sort keys %clauses ],
        'the document has exactly these specifications';
    cmp_ok scalar(() = all_rows()), '>', 200, 'control: rows are read';
}

sub the_rows_are_complete {
    my @bad = grep {
        my $row = $_;
        $row->{cells} != (() = COLUMNS)
            || grep({ ($row->{$_} // '') eq '' }
                    qw(clause duty level function test))
            || $row->{level} !~ /\A(?:(?:MUST|SHOULD)(?:\ NOT)?|MAY|
                                  SHALL|REQUIRED|RECOMMENDED)\z/x
            || $row->{broken} !~ /\A(?:yes|)\z/
            || ($row->{broken} eq '' && $row->{note} eq '');
    } all_rows();
    is join("\n", map { $_->{line} } @bad), '', 'every row has a duty, a '
        . 'level, a function, a test, and an effect that was seen or a note';
}

# "httpd/file.c:name" is name in src/httpd/file.c.
sub functions_are_where_they_are_said_to_be {
    my %missing;
    for my $cell (map { split /; /, $_->{function} } all_rows()) {
        my ($file, $name) = $cell =~ m{\A`(\w+/\w+\.c):(\w+)`\z};
        $missing{$cell} = 1
            if !$name || text_of("src/$file") !~ /^[a-z].*\b\Q$name\E\(/m;
    }
    is join("\n", sort keys %missing), '', 'every function is in its source';
}

# "unit/file.c: name" is a function of cmocka in t/unit/file.c; "file.t: text"
# is a part of a test's name in t/file.t.
sub tests_are_where_they_are_said_to_be {
    my %missing;
    for my $cell (map { split /; /, $_->{test} } all_rows()) {
        my ($file, $name) = $cell =~ m{\A`([\w/]+\.[ct]): (.+)`\z};
        $missing{$cell} = 1
            if !$name || !is_test(text_of("t/$file"), $file, $name);
    }
    is join("\n", sort keys %missing), '', 'every test is where it should be';
}

sub is_test {
    my ($text, $file, $name) = @_;
    return $text =~ /^static void \Q$name\E\(/m
        && $text =~ /scene_test\(\Q$name\E\)|unit_test\w*\(\Q$name\E\b/
        if $file =~ /\.c\z/;
    return $text =~ /'[^'\n]*\Q$name\E[^'\n]*'|"[^"\n]*\Q$name\E[^"\n]*"/;
}

sub every_clause_is_there {
    my ($title) = @_;
    my %there = map { $_ => 1 } @{ $silent{$title} // [] };
    my @twice = grep { $there{ $_->{clause} } } @{ $rows{$title} // [] };
    is join(' ', map { $_->{clause} } @twice), '',
        "$title: no clause has both a duty and none";
    $there{ $_->{clause} } = 1 for @{ $rows{$title} // [] };
    is_deeply [ sort keys %there ], [ sort split ' ', $clauses{$title} ],
        "$title: every clause is there";
}

sub the_numbers_of_the_summary {
    my @rows = all_rows();
    my $broken = grep { $_->{broken} eq 'yes' } @rows;
    like text_of(DOCUMENT), qr/\b${\ scalar @rows} rows, $broken of them\b/,
        'the introduction has the numbers of the tables';
}
