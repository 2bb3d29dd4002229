# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Sanitizer;

=head1 NAME

OpenID2RP::Sanitizer - a module built by gcc with AddressSanitizer or UBSan,
under an httpd that was built without

=head1 SYNOPSIS

    use OpenID2RP::Sanitizer;

    my $sanitizer = OpenID2RP::Sanitizer->of($module);  # undef: it has none
    $sanitizer->reports_to($dir);
    my $httpd = $sanitizer->wrap($program, "$dir/httpd");
    system $httpd, @arguments;              # $program, watched
    for my $report ($sanitizer->reports) {
        say "$report->{time}: $report->{text}";
    }

The wrapper is a script that becomes the program at once, with the libraries of
the sanitizers and F<t/sanitize/pools.c> loaded into it. That goes for this one
program: httpd gives the CGI scripts that it starts an environment of its own.
Every report becomes a file, and the process that has made it ends by SIGABRT.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use Cwd qw(abs_path);
use File::Basename qw(dirname);

# detect_leaks=0: APR maps the memory of pools itself, where LeakSanitizer looks
# for no pointers: what is only in use counts as lost. Where a child of httpd
# ends, the search has crashed as well. The unit tests have it on.
# handle_*=2: httpd would take these signals for itself, and tell less. For
# AddressSanitizer, wrap() adds handle_abort=2: beside it, UBSan writes to stderr
# whatever log_path is, and aborts; so there is a report of that.
my %OPTION = (
    abort_on_error => 1,
    detect_leaks => 0,
    detect_stack_use_after_return => 1,
    halt_on_error => 1,
    handle_segv => 2,
    handle_sigbus => 2,
    handle_sigfpe => 2,
    print_stacktrace => 1,
    strict_string_checks => 1,
);

# Dies where such a module cannot be watched under an httpd.
sub of {
    my ($class, $module) = @_;
    open my $in, '<:raw', $module or return;
    my $code = do { local $/; <$in> };
    my ($address, $undefined, $thread) = map { index($code, $_) >= 0 }
        qw(__asan_init __ubsan_handle __tsan_init);
    return unless $address || $undefined || $thread;
    croak "$module: ThreadSanitizer cannot watch it: httpd and APR, which were"
        . " built without, hand memory from thread to thread by atomic"
        . " operations that it does not see\n" if $thread;
    my @libraries = map { m{=> (/\S+/lib(?:asan|ubsan)\.so\S*)} ? $1 : () }
        qx{ldd "$module"};
    croak "$module: the libraries of its sanitizers are not shared ones; build"
        . " it with gcc\n" unless @libraries;
    # libasan wants to be the first.
    my $pools = dirname(abs_path($module)) . '/pools.so';
    return bless { libraries => [ sort(@libraries), $pools ] }, $class;
}

# An empty folder in which whoever runs the wrappers may write.
sub reports_to {
    my ($self, $dir) = @_;
    -d $dir or mkdir $dir or croak "$dir: $!";
    $self->{dir} = $dir;
    return;
}

sub wrap {
    my ($self, $program, $wrapper) = @_;
    my $options = join ':', "log_path=$self->{dir}/report",
        map { "$_=$OPTION{$_}" } sort keys %OPTION;
    my @set = ("ASAN_OPTIONS='$options:handle_abort=2'",
               "UBSAN_OPTIONS='$options'");
    push @set, "LD_PRELOAD='@{ $self->{libraries} }'";
    open my $out, '>', $wrapper or croak "$wrapper: $!";
    print $out "#!/bin/sh\nexport @set\nexec '$program' \"\$\@\"\n";
    close $out or croak "$wrapper: $!";
    chmod 0755, $wrapper or croak "$wrapper: $!";
    return $wrapper;
}

# What was found, oldest first.
sub reports {
    my ($self) = @_;
    my @reports;
    for my $file (glob "$self->{dir}/report.*") {
        open my $in, '<', $file or croak "$file: $!";
        my $text = do { local $/; <$in> };
        push @reports, { time => (stat $in)[9], text => $text };
    }
    return sort { $a->{time} <=> $b->{time} } @reports;
}

1;
