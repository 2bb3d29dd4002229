# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Httpd;

=head1 NAME

OpenID2RP::Httpd - an httpd of a test's own, to stop, start and kill

=head1 SYNOPSIS

    use OpenID2RP::Httpd;
    use OpenID2RP::Test;

    my $httpd = OpenID2RP::Httpd->new('OpenIDStore shm:2M');
    $httpd->start or die $httpd->says;
    my $browser = browser();
    login($browser, $httpd->page, op_url('/user/alice'));
    $httpd->graceful;
    $browser->get($httpd->page);            # 200, PROTECTED-BODY
    $httpd->configure('OpenIDAssociate never');
    $httpd->stop;

    # Two machines behind a load balancer.
    my $other = OpenID2RP::Httpd->new({ twin_of => $httpd }, @lines);
    my $guest = OpenID2RP::Httpd::Browser->new;
    $guest->through($other);                # until told otherwise

It has the MPM of the run, the modules that a login needs, and one folder
that is for members only. Any number of them can run at the same time. It is an
L<OpenID2RP::Process>: see there for stop, crash, runs, dir and port.

=cut

use v5.14;
use strict;
use warnings;
use parent 'OpenID2RP::Process';
use Apache::Test ();
use Carp qw(croak);
use OpenID2RP::Process qw(lines_of wait_for write_file);
use POSIX ();
use Time::HiRes qw(sleep);

# Seconds, before httpd is told to end at once: until then its last connections
# should be over. httpd 2.4.71 looks at sockets that its threads have just
# freed, and sometimes crashes, with whatever modules (event).
use constant SETTLE => 0.2;

my $PROGRAM = Apache::Test::basic_config()->{vars}{httpd};

# new(LINE...), new({ twin_of => HTTPD }, LINE...): lines that its configuration
# has besides; a twin says of itself that it is where the other one is.
sub new {
    my ($class, @lines) = @_;
    my $option = ref $lines[0] ? shift @lines : {};
    my $self = $class->prepare('httpd');
    $self->{origin} = $option->{twin_of} ? $option->{twin_of}->origin
        : "http://localhost:$self->{port}";
    mkdir "$self->{dir}/site" or croak "$self->{dir}/site: $!";
    write_file("$self->{dir}/site/page.html", "PROTECTED-BODY\n");
    $self->configure(@lines);
    return $self;
}

# Where browsers see it: scheme, name and port.
sub origin { $_[0]{origin} }
sub page { $_[0]{origin} . '/page.html' }

# Write its configuration, with these lines and no others besides.
sub configure {
    my ($self, @lines) = @_;
    my ($dir, $port) = @$self{qw(dir port)};
    my $load = join '', grep { /\ALoadModule\ (?:mpm_\w+|unixd|log_config|
        watchdog|authn_core|authz_core|authz_user|mime|openid2rp)_module/x }
        lines_of('t/inherited.conf');
    push @lines, "OpenIDBaseURL $self->{origin}"
        unless $self->{origin} eq "http://localhost:$port";
    write_file("$dir/httpd.conf", $load . join "\n", <<"END", @lines, '');
ServerRoot $dir
ServerName localhost:$port
Listen 127.0.0.1:$port
PidFile $dir/httpd.pid
DefaultRuntimeDir $dir
Mutex file:$dir default
ErrorLog $dir/error_log
LogLevel info
TypesConfig /dev/null
DocumentRoot $dir/site
OpenIDFetchAllow 127.0.0.0/8 ::1/128
OpenIDRateLimit off
<Directory "$dir/site">
    AuthType OpenID
    Require valid-user
</Directory>
<IfModule mpm_prefork_module>
    StartServers 3
</IfModule>
<IfModule !mpm_prefork_module>
    StartServers 2
    ServerLimit 4
    ThreadsPerChild 5
    MaxRequestWorkers 20
    MinSpareThreads 5
    MaxSpareThreads 20
</IfModule>
END
}

# True when it serves; false when it has ended instead: says() tells why.
sub start {
    my ($self) = @_;
    my $before = $self->generation;
    $self->spawn($PROGRAM, '-f', "$self->{dir}/httpd.conf", '-DFOREGROUND');
    wait_for(sub { !$self->runs || ($self->generation > $before
                                    && $self->answers) });
    return $self->runs && $self->answers;
}

# The lines of its error log. And all that it has said, anywhere.
sub log { lines_of("$_[0]{dir}/error_log") }
sub says { my ($self) = @_; return join '', $self->output, $self->log }

# How often it has come up.
sub generation {
    my ($self) = @_;
    return scalar grep { /resuming normal operations/ } $self->log;
}

sub stop {
    my ($self) = @_;
    sleep SETTLE if $self->runs;
    return $self->SUPER::stop;
}

# Restart, and wait until the next generation serves.
sub graceful { $_[0]->signal('USR1') }
sub restart { sleep SETTLE; $_[0]->signal('HUP') }

sub signal {
    my ($self, $signal) = @_;
    my $before = $self->generation;
    kill $signal => $self->{pid};
    return wait_for(sub { $self->generation > $before || !$self->runs })
        && $self->runs;
}

# `httpd -k graceful` and the like: was it content, and what did it say?
sub command {
    my ($self, @words) = @_;
    my $child = open(my $out, '-|') // croak "fork: $!";
    if (!$child) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', OpenID2RP::Process::SECONDS, $PROGRAM, '-f',
            "$self->{dir}/httpd.conf", @words or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out> // '';
    close $out;
    return ($? == 0, $text);
}

# The processes that it has started.
sub children {
    my ($self) = @_;
    my $pid = $self->runs ? $self->{pid} : return;
    return grep { $_ && $_ != $pid && getpgrp $_ == $pid }
        map { /(\d+)/ } glob '/proc/[0-9]*';
}

# The lines of children that have crashed; one that was killed has not.
sub crashes { grep { /exit signal (?!Killed)/ } $_[0]->log }

# ---------------------------------------------------------------------------
package OpenID2RP::Httpd::Browser;

use strict;
use warnings;
use Carp qw(croak);
use OpenID2RP::Test ();
our @ISA = ('OpenID2RP::Test::Browser');

# A browser of Test.pm. Behind a load balancer: what it asks of the origin of
# an httpd goes to that httpd, whatever the port in the URL is.
sub through {
    my ($self, $httpd) = @_;
    $self->{through} = $httpd;
    return $self;
}

sub send {
    my ($self, $method, $url, $body, %option) = @_;
    my $httpd = $self->{through};
    return $self->SUPER::send($method, $url, $body, %option)
        unless $httpd && index($url, $httpd->origin . '/') == 0;
    my $response = OpenID2RP::Test::exchange($httpd->port,
        $self->request($method, $url, $body, %option), $url)
        // croak "no answer to $method $url";
    $self->keep($response);
    return $response;
}

sub twin {
    my ($self) = @_;
    return $self->SUPER::twin->through($self->{through});
}

1;
