# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Test;

=head1 NAME

OpenID2RP::Test - browsers, logins, and the provider of the server tests

=head1 SYNOPSIS

    use OpenID2RP::Test;
    use Test::More;

    op_reset();                             # whoever is asked about, approves
    my $browser = browser();
    my $page = login($browser, url('/login/app?a=1'), op_url('/user/alice'));
    is $page->status, 200;
    is env_of($page)->{REMOTE_USER}, op_url('/user/alice');
    is_deeply [refusals()], [];

Everything is a plain function, exported always. The provider is
conf/demo/op.cgi, at /op of the main server; its settings are files that any
test may change (op_reset() first: test files run one after the other).
t/conf/common.conf.in has the server's side of this.

=cut

use v5.14;
use strict;
use warnings;
use Apache::Test ();
use Carp qw(croak);
use Exporter qw(import);
use File::Path qw(make_path);
use IO::Select ();
use IO::Socket::INET ();
use POSIX ();
use Time::HiRes qw(time);

our @EXPORT = qw(
    url op_url port_of op_reset op_mode op_log error_log refusals
    browser login begin_login ask_op answer_form
    pairs_of query_of encode decode unescape_html env_of
    exchange raw_request parallel web_server web_log provider
    id_site id_for);

use constant TIMEOUT => 25;         # seconds, for any one exchange
use constant LOG => 'error_log';

# ---------------------------------------------------------------------------
# Where things are

sub var { Apache::Test::basic_config()->{vars}{ $_[0] } }

# The port of the main server, or of <VirtualHost NAME>.
sub port_of {
    my ($vhost) = @_;
    return var('port') unless defined $vhost;
    my $known = Apache::Test::basic_config()->{vhosts}{$vhost}
        or croak "there is no <VirtualHost $vhost>";
    return $known->{port};
}

# url('/path'), url('/path', 'VHOST')
sub url { 'http://localhost:' . port_of($_[1]) . $_[0] }
sub op_url { url("/op$_[0]") }

sub encode { $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }
sub decode { $_[0] =~ tr/+/ /r =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }

sub unescape_html {
    my %char = (lt => '<', gt => '>', quot => '"', '#39' => "'", amp => '&');
    return $_[0] =~ s/&(lt|gt|quot|#39|amp);/$char{$1}/gr;
}

# The parameters behind the "?" of a URL, in order: ([name, value], ...).
sub pairs_of {
    my ($query) = $_[0] =~ /\?([^#]*)/ or return;
    return map { [ map { decode($_) } /\A([^=]*)=?(.*)\z/s ] }
        split /&/, $query;
}

# The other way round: query_of([name, value], ...) or query_of(\%hash).
sub query_of {
    my @pairs = ref $_[0] eq 'HASH'
        ? map { [ $_, $_[0]{$_} ] } sort keys %{ $_[0] } : @_;
    return join '&', map { encode($_->[0]) . '=' . encode($_->[1]) } @pairs;
}

# What t/cgi/env.cgi printed: a hash of its environment, and BODY.
sub env_of {
    my ($response) = @_;
    return { map { /\A(\w+)=(.*)\z/ ? ($1, decode($2)) : () }
             split /\n/, $response->body };
}

# ---------------------------------------------------------------------------
# The provider

sub op_dir { var('t_logs') . '/op' }

# Settings of op.cgi: op_mode(assoc => 'sha1', auto => 'bob'); undef restores
# the default.
sub op_mode {
    my (%mode) = @_;
    make_path(op_dir());
    while (my ($name, $value) = each %mode) {
        my $file = op_dir() . "/$name";
        unlink $file;
        next unless defined $value;
        # In one step: the provider may be reading.
        open my $out, '>', "$file.new" or croak "$file: $!";
        print $out "$value\n";
        close $out or croak "$file: $!";
        rename "$file.new", $file or croak "$file: $!";
    }
}

# All settings as they are by default, but everybody is approved at once; and
# the logs count from here.
sub op_reset {
    op_mode(auto => 'any', assoc => undef, answer => undef,
            lifetime => undef);
    op_log();
    error_log();
}

# The lines of a log since the last call.
my %read;

sub new_lines {
    my ($file) = @_;
    open my $in, '<', $file or return;
    seek $in, $read{$file} // 0, 0;
    my @lines = <$in>;
    $read{$file} = tell $in;
    chomp @lines;
    return @lines;
}

sub op_log { new_lines(op_dir() . '/op.log') }
sub error_log { new_lines(var('t_logs') . '/' . LOG) }

# The reason codes of the logins that were refused since error_log(), op_reset()
# or refusals() was called.
sub refusals { map { /login refused \(([^)]*)\)/ ? $1 : () } error_log() }

# ---------------------------------------------------------------------------
# Logins

# Ask for a login: the response, in a good case the redirect to the provider.
sub begin_login {
    my ($browser, $target, $identifier) = @_;
    return $browser->post($target, { openid_identifier => $identifier });
}

# Go where a response redirects to, a provider that answers at once: the URL
# that it sends the browser back to; or, with the setting answer=post, the URL
# and a reference to the form's fields.
sub ask_op {
    my ($browser, $response) = @_;
    my $to = $response->header('Location') // croak 'no redirect: '
        . $response->status . ' ' . $response->body;
    my $answer = $browser->get($to);
    return $answer->header('Location') if $answer->header('Location');
    return answer_form($answer);
}

# The form of answer=post: (action, [[name, value], ...]).
sub answer_form {
    my ($page) = @_;
    my ($action) = $page->body =~ /<form id=answer [^>]*action="([^"]*)"/
        or croak 'the provider did not answer: ' . $page->body;
    my @fields = map { [ map { unescape_html($_) } @$_ ] }
        map { /name="([^"]*)" value="([^"]*)"/ ? [ $1, $2 ] : () }
        $page->body =~ /<input type=hidden [^>]*>/g;
    return (unescape_html($action), \@fields);
}

# The whole way: to the provider, back, and to the target. Returns the last
# response, whatever it is.
sub login {
    my ($browser, $target, $identifier) = @_;
    my $response = begin_login($browser, $target, $identifier);
    return $response unless $response->is_redirect;
    my ($url, $form) = ask_op($browser, $response);
    $response = $form ? $browser->post($url, $form, cross_site => 1)
        : $browser->get($url);
    for (1 .. 5) {
        last unless $response->is_redirect;
        $response = $browser->get($response->header('Location'));
    }
    return $response;
}

# ---------------------------------------------------------------------------
# HTTP

# A browser with a cookie jar; see the package below.
sub browser { OpenID2RP::Test::Browser->new(@_) }

# Send bytes to a port of this machine, and read to the end: a response, or
# undef where there is none.
sub exchange {
    my ($port, $bytes, $url) = @_;
    return (parallel($port, [$bytes], $url))[0];
}

# A request in full: raw_request('POST', $url, \@headers, $body). A header is
# [name, value]. Host, Connection and the length of a body are added.
sub raw_request {
    my ($method, $url, $headers, $body) = @_;
    my ($host, $path) = $url =~ m{\Ahttp://([^/?#]+)([^#]*)} or croak $url;
    $path = "/$path" unless $path =~ m{\A/};
    my @all = ([ Host => $host ], [ Connection => 'close' ], @$headers);
    push @all, [ 'Content-Length' => length $body ] if defined $body;
    return join "\r\n", "$method $path HTTP/1.1",
        map({ "$_->[0]: $_->[1]" } @all), '', $body // '';
}

# Several exchanges at the same time: everything but the last byte of each is
# sent, and then the last bytes. Responses in the order of the requests. All go
# to one port, or each to its own: a number, or a reference to a list.
sub parallel {
    my ($port, $requests, $url) = @_;
    my @ports = ref $port ? @$port : ($port) x @$requests;
    my $until = time + TIMEOUT;
    local $SIG{PIPE} = 'IGNORE';
    my @sockets = map {
        my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
            PeerPort => $ports[$_], Timeout => 10)
            or croak "port $ports[$_]: $!";
        syswrite $socket, substr $requests->[$_], 0, -1;
        $socket;
    } 0 .. $#$requests;
    syswrite $sockets[$_], substr $requests->[$_], -1 for 0 .. $#sockets;

    my %text = map { ($_ => '') } @sockets;
    my $open = IO::Select->new(@sockets);
    while ($open->count && time < $until) {
        for my $socket ($open->can_read($until - time)) {
            $open->remove($socket)
                unless sysread $socket, $text{$socket}, 65_536,
                    length $text{$socket};
        }
    }
    return map { OpenID2RP::Test::Response->read($text{$_}, $url) } @sockets;
}

# ---------------------------------------------------------------------------
# Web sites of a test's own

# Start a server on loopback: its URL, without a slash at the end. For each
# request, a process of its own calls $answer->($path, $request, $socket, $url)
# where $path is with the query and $request is all that was sent; what that
# returns is sent, ([status, header-lines...], body) or nothing at all where it
# has written to the socket itself. The server ends with the test. Every
# request's first line and body are kept for web_log().
my %web;        # url => { pid, log }
my $owner = $$;

sub web_server {
    my ($answer) = @_;
    my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1',
        Listen => 50) or croak "no port: $!";
    my $url = 'http://127.0.0.1:' . $listener->sockport;
    my $log = var('t_logs') . '/web.' . $listener->sockport;
    my $pid = fork // croak "fork: $!";
    if (!$pid) {
        $0 = 'web server of a test';
        setpgrp;
        $SIG{CHLD} = 'IGNORE';
        $SIG{ALRM} = sub { getppid == $owner ? alarm 1 : kill KILL => -$$ };
        alarm 1;
        serve($listener, $answer, $url, $log) while 1;
    }
    $web{$url} = { pid => $pid, log => $log };
    return $url;
}

sub serve {
    my ($listener, $answer, $url, $log) = @_;
    my $socket = $listener->accept or return;
    my $pid = fork;
    return if !defined $pid || $pid;
    $SIG{ALRM} = 'DEFAULT';
    alarm 60;
    my $text = '';
    while ($text !~ /\r\n\r\n/) {
        sysread $socket, $text, 8192, length $text or last;
    }
    my ($size) = $text =~ /^Content-Length: *(\d+)/im;
    my $end = index($text, "\r\n\r\n") + 4 + ($size // 0);
    while (length $text < $end) {
        sysread $socket, $text, 8192, length $text or last;
    }
    my ($line, $path) = $text =~ /\A(\S+ (\S+)[^\r]*)/;
    open my $out, '>>', $log;
    syswrite $out, "$line " . substr($text, $end - ($size // 0)) . "\n";
    my ($head, $body) = $answer->($path, $text, $socket, $url);
    if ($head) {
        my ($status, @headers) = @$head;
        print $socket join "\r\n", "HTTP/1.1 $status X", @headers,
            'Content-Length: ' . length($body), 'Connection: close', '',
            $body;
    }
    close $socket;
    POSIX::_exit(0);
}

# The requests that such a server has seen since the last call.
sub web_log { new_lines($web{ $_[0] }{log}) }

END {
    if ($$ == $owner) {
        local $?;
        kill KILL => -$_->{pid} for values %web;
        waitpid $_->{pid}, 0 for values %web;
    }
}

# Identity pages for any endpoints: id_for(id_site(), ENDPOINT, ...) is an
# identifier whose XRDS document names these, in that order; with a first one
# that is 1, as services of OpenID 1.1.
sub id_site { web_server(\&id_page) }

sub id_for {
    my ($site, @endpoints) = @_;
    return join '/', $site, map { unpack 'H*', $_ } @endpoints;
}

sub id_page {
    my ($path) = @_;
    my (undef, @uris) = map { pack 'H*', $_ } split m{/}, $path;
    my $type = $uris[0] eq '1' ? 'http://openid.net/signon/1.1'
        : 'http://specs.openid.net/auth/2.0/signon';
    my $n = 0;
    my $services = join "\n", map { s/&/&amp;/g; s/</&lt;/g; $n++;
        "<Service priority='$n'><Type>$type</Type><URI>$_</URI></Service>"
    } grep { $_ ne '1' } @uris;
    return ([ 200, 'Content-Type: application/xrds+xml' ], <<"XML");
<xrds:XRDS xmlns:xrds="xri://\$xrds" xmlns="xri://\$xrd*(\$v*2.0)"><XRD>
$services
</XRD></xrds:XRDS>
XML
}

# A provider that says what a test wants: see the package below.
sub provider { OpenID2RP::Test::Provider->new(@_) }

# ---------------------------------------------------------------------------
package OpenID2RP::Test::Provider;

use strict;
use warnings;
use Carp qw(croak);

my $OPENID2 = 'http://specs.openid.net/auth/2.0';

# A web_server() with XRDS documents at /id/NAME (a claimed identifier) and at
# /op (the OP Identifier), all for the endpoint /endpoint. By default it makes
# no associations and confirms every signature. Nobody signs in there: the
# test itself says what a browser brings back from it, with assertion().
sub new {
    my ($class) = @_;
    my $self = bless {}, $class;
    $self->{url} = OpenID2RP::Test::web_server(\&serve);
    $self->reply(associate => 400,
                 "ns:$OPENID2\nerror:none\nerror_code:unsupported-type\n");
    $self->reply(check_authentication => 200,
                 "ns:$OPENID2\nis_valid:true\n");
    return $self;
}

sub endpoint { "$_[0]{url}/endpoint" }
sub id { "$_[0]{url}/id/$_[1]" }
sub op_identifier { "$_[0]{url}/op" }
sub log { OpenID2RP::Test::web_log($_[0]{url}) }

# What to answer to a mode ("associate", "check_authentication") from now on,
# and after how many seconds. The status 0 closes the connection instead.
sub reply {
    my ($self, $mode, $status, $body, $delay) = @_;
    my $file = file($self->{url}, $mode);
    open my $out, '>', "$file.new" or croak "$file: $!";
    print $out join "\n", $status, $delay // 0, $body // '';
    close $out or croak "$file: $!";
    rename "$file.new", $file or croak "$file: $!";
}

sub file {
    my ($url, $mode) = @_;
    my ($port) = $url =~ /:(\d+)/;
    return OpenID2RP::Test::var('t_logs') . "/web.$port.$mode";
}

sub serve {
    my ($path, $request, $socket, $url) = @_;
    my $type = $path eq '/op' ? 'server'
        : $path =~ m{\A/id/\w+\z} ? 'signon' : undef;
    return ([ 200, 'Content-Type: application/xrds+xml' ], <<"XML") if $type;
<xrds:XRDS xmlns:xrds="xri://\$xrds" xmlns="xri://\$xrd*(\$v*2.0)"><XRD>
<Service><Type>$OPENID2/$type</Type><URI>$url/endpoint</URI></Service>
</XRD></xrds:XRDS>
XML
    my ($mode) = $request =~ /openid\.mode=(\w+)/
        or return ([ 404, 'Content-Type: text/plain' ], "Nothing.\n");
    open my $in, '<', file($url, $mode) or return;
    my ($status, $delay, $body) = split /\n/, join('', <$in>), 3;
    sleep $delay;
    return if !$status;
    return ([ $status, 'Content-Type: text/plain' ], $body);
}

# The URL that a browser would bring back: a positive assertion that answers a
# redirect to this provider, with some fields changed (undef drops one), as in
# assertion($begun, 'identity' => 'http://x/', sig => undef).
sub assertion {
    my ($self, $begun, %change) = @_;
    my %asked = map { @$_ } OpenID2RP::Test::pairs_of(
        $begun->header('Location') // croak 'no redirect');
    my @t = gmtime;
    my $signed = 'op_endpoint,claimed_id,identity,return_to,'
        . 'response_nonce,assoc_handle';
    my %field = (
        ns => $OPENID2, mode => 'id_res', op_endpoint => $self->endpoint,
        claimed_id => $asked{'openid.claimed_id'},
        identity => $asked{'openid.identity'},
        return_to => $asked{'openid.return_to'},
        response_nonce => sprintf('%04d-%02d-%02dT%02d:%02d:%02dZ%s',
            $t[5] + 1900, $t[4] + 1, @t[3, 2, 1, 0], int rand 1e9),
        assoc_handle => 'a-handle', signed => $signed, sig => 'c2lnbmF0dXJl',
        %change);
    return $asked{'openid.return_to'} . '&' . OpenID2RP::Test::query_of(
        map { [ "openid.$_", $field{$_} ] }
        sort grep { defined $field{$_} } keys %field);
}

# ---------------------------------------------------------------------------
package OpenID2RP::Test::Browser;

use strict;
use warnings;
use Carp qw(croak);

# It keeps cookies as browsers do: by name, host and path; ports and schemes
# make no difference. It says in its headers that it is a browser, and follows
# no redirect.

sub new {
    my ($class, %header) = @_;
    return bless { jar => {}, headers => {
        'User-Agent' => 'Mozilla/5.0 (test)', Accept => 'text/html,*/*;q=0.8',
        %header } }, $class;
}

# $browser->get($url, headers => [[name, value], ...], cross_site => 1)
# A cross-site POST comes without the cookies that are SameSite=Lax or Strict;
# a GET that navigates comes with the Lax ones, as it does here always.
sub get {
    my ($self, $url, %option) = @_;
    return $self->send('GET', $url, undef, %option);
}

# $browser->post($url, $form, ...): the form a hash, a list of pairs, or text.
sub post {
    my ($self, $url, $form, %option) = @_;
    my $body = ref $form eq 'ARRAY' ? OpenID2RP::Test::query_of(@$form)
        : ref $form ? OpenID2RP::Test::query_of($form) : $form;
    unshift @{ $option{headers} },
        [ 'Content-Type', 'application/x-www-form-urlencoded' ];
    return $self->send('POST', $url, $body, %option);
}

sub send {
    my ($self, $method, $url, $body, %option) = @_;
    my ($port) = $url =~ m{\Ahttp://[^/:]+:(\d+)} or croak "no port: $url";
    my $response = OpenID2RP::Test::exchange($port,
        $self->request($method, $url, $body, %option), $url)
        // croak "no answer to $method $url";
    $self->keep($response);
    return $response;
}

# The bytes that it would send.
sub request {
    my ($self, $method, $url, $body, %option) = @_;
    my %header = %{ $self->{headers} };
    my $cookies = $self->cookies($url,
                                 $option{cross_site} && $method eq 'POST');
    return OpenID2RP::Test::raw_request($method, $url, [
        map({ [ $_, $header{$_} ] } sort keys %header),
        length $cookies ? [ Cookie => $cookies ] : (),
        @{ $option{headers} // [] } ], $body);
}

# The Cookie header for a URL.
sub cookies {
    my ($self, $url, $none_lax) = @_;
    my ($host, $path) = $url =~ m{\Ahttp://([^/:]+)[^/]*([^?#]*)};
    return join '; ', map { "$_->{name}=$_->{value}" } grep {
        my $base = $_->{path} =~ s{/\z}{}r;
        $_->{host} eq $host && !$_->{secure}
            && ($path eq $base || index($path, "$base/") == 0)
            && !($none_lax && $_->{samesite} =~ /\A(?:lax|strict)\z/i)
    } map { $self->{jar}{$_} } sort keys %{ $self->{jar} };
}

sub keep {
    my ($self, $response) = @_;
    my ($host) = $response->url =~ m{\Ahttp://([^/:]+)};
    for my $line ($response->headers('Set-Cookie')) {
        my ($pair, @attributes) = split /;\s*/, $line;
        my ($name, $value) = split /=/, $pair, 2;
        my %has = map { my ($k, $v) = split /=/, $_, 2; (lc $k, $v // '') }
            @attributes;
        my $path = $has{path} // '/';
        my $key = "$name $host $path";
        delete $self->{jar}{$key};
        next if defined $has{'max-age'} && $has{'max-age'} <= 0;
        $self->{jar}{$key} = { name => $name, value => $value,
            host => $host, path => $path, secure => exists $has{secure},
            samesite => $has{samesite} // '' };
    }
}

# The value of a cookie, whatever its path; or all values by name.
sub cookie {
    my ($self, $name) = @_;
    my %all = map { ($_->{name}, $_->{value}) } values %{ $self->{jar} };
    return defined $name ? $all{$name} : \%all;
}

sub forget { $_[0]{jar} = {} }

# Another one with the same cookies.
sub twin {
    my ($self) = @_;
    my $twin = (ref $self)->new;
    $twin->{jar} = { %{ $self->{jar} } };
    return $twin;
}

# ---------------------------------------------------------------------------
package OpenID2RP::Test::Response;

use strict;
use warnings;

# Of the bytes of a response; undef where they are none.
sub read {
    my ($class, $text, $url) = @_;
    my ($head, $body) = split /\r\n\r\n/, $text, 2;
    my ($line, @lines) = split /\r\n/, $head // '';
    my ($status) = ($line // '') =~ m{\AHTTP/1\.[01] (\d{3})} or return undef;
    my @headers = map { [ /\A([^:]+):\s*(.*)\z/s ] } @lines;
    my $self = bless { status => $status, headers => \@headers,
        body => $body // '', url => $url // '' }, $class;
    $self->{body} = unchunked($self->{body})
        if ($self->header('Transfer-Encoding') // '') =~ /chunked/i;
    return $self;
}

sub unchunked {
    my ($text) = @_;
    my $body = '';
    while ($text =~ s/\A([0-9A-Fa-f]+)[^\r]*\r\n//) {
        $body .= substr $text, 0, hex $1, '';
        $text =~ s/\A\r\n//;
    }
    return $body;
}

sub status { $_[0]{status} }
sub body { $_[0]{body} }
sub url { $_[0]{url} }
sub is_redirect { $_[0]{status} =~ /\A30[1237]\z/ }

# The first header of that name; all of them.
sub header { ($_[0]->headers($_[1]))[0] }

sub headers {
    my ($self, $name) = @_;
    return map { lc $_->[0] eq lc $name ? $_->[1] : () }
        @{ $self->{headers} };
}

# Of the login page: the sentence in its alert, or undef where it has none.
sub alert {
    my ($self) = @_;
    my ($text) = $self->{body} =~ m{<p role="alert">([^<]*)</p>};
    return defined $text ? OpenID2RP::Test::unescape_html($text) : undef;
}

# Of the login page: where its form goes.
sub action {
    my ($self) = @_;
    my ($text) = $self->{body} =~ /<form method="post" action="([^"]*)"/;
    return defined $text ? OpenID2RP::Test::unescape_html($text) : undef;
}

1;
