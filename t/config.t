#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# What httpd says to each directive, with good and bad values; and whether the
# directives, their documentation and the sample configuration agree.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Apache::Test ();
use File::Temp qw(tempdir);
use Test::More;

my $HTTPD = Apache::Test::basic_config()->{vars}{httpd};
my $dir = tempdir(CLEANUP => 1);
mkdir "$dir/logs" or die "$dir: $!";

# A file that every test needs: where it is missing, nothing has been compared.
sub slurp {
    my ($file) = @_;
    open my $in, '<', $file or BAIL_OUT("$file: $!");
    local $/;
    return scalar <$in>;
}

sub write_file {
    my ($file, @lines) = @_;
    open my $out, '>', $file or BAIL_OUT("$file: $!");
    print $out map { "$_\n" } @lines;
    close $out or BAIL_OUT("$file: $!");
}

# --- asking httpd -----------------------------------------------------------

# The modules of the test server that matter here, with its MPM.
my @load = grep {
    /\ALoadModule\ (?:mpm_\w+|unixd|watchdog|authn_core|authz_core|
                       openid2rp)_module\ /x
} split /\n/, slurp('t/inherited.conf');
write_file("$dir/minimal.conf", 'ServerName localhost',
    'Listen 127.0.0.1:1', "DefaultRuntimeDir $dir", "PidFile $dir/httpd.pid",
    'ErrorLog logs/error_log', @load);
write_file("$dir/ca.pem", '');
write_file("$dir/links", 'https://alice.example/ alice');
write_file("$dir/$_", 'secret') for qw(password open);
chmod 0600, "$dir/password" or BAIL_OUT("$dir/password: $!");
chmod 0644, "$dir/open" or BAIL_OUT("$dir/open: $!");

# What `httpd -t` says to these lines: '' where it takes them.
sub objection {
    my (@lines) = @_;
    write_file("$dir/lines.conf", @lines);
    my $pid = open my $out, '-|' // BAIL_OUT("fork: $!");
    if (!$pid) {
        open STDERR, '>&', \*STDOUT;
        exec 'timeout', 20, $HTTPD, '-d', $dir, '-f', "$dir/minimal.conf",
            '-c', "Include $dir/lines.conf", '-t' or POSIX::_exit(127);
    }
    local $/;
    my $text = <$out>;
    close $out;
    return '' if $? == 0 && $text =~ /Syntax OK/;
    $text =~ s/^AH00526: .*\n//mg;
    return $text eq '' ? "no word, status $?" : $text;
}

is objection('# nothing'), '', 'control: httpd takes an empty configuration';
like objection('NoSuchDirective x'), qr/Invalid command 'NoSuchDirective'/,
    'control: it objects to what it does not know';

# --- values -----------------------------------------------------------------

my @times = (
    good => [ '1', '1s', '300ms', '10m', '10mi', '10min', '2h', '10M', '1H' ],
    bad => [ '', '0', '0s', '-1', '+1', '1.5h', '10 m', 'soon', 'm', '1d',
             '5hello', '5sx', '10m5s', '0x10', '99999999999999999999',
             '9223372036854775807', '999999999h' ],
);
my @urls = ('', 'example.org', 'ftp://example.org/', 'javascript:alert(1)',
    'https://', 'https:///x', 'https://user:secret@example.org/',
    'https://example.org:0/', 'https://example.org:65536/',
    'https://exa mple.org/', '//example.org/', '=xri', 'file:///etc/passwd');

my @profiles = qw(steam ubuntu launchpad opensuse fedora);
my @rules = (
    good => [ 'off', 'https://op.example', 'http://op.example:8080/a/b',
              [ 'https://a.example/', 'https://b.example/' ],
              '~https://[a-z]+\.example/.*', '~https?://op.example/' ],
    bad => [ @urls, [], 'steam', '*.example', 'https://*.example.org/',
             'https://op.example/?a=b', 'https://op.example/#a',
             '~https://(', '~https://[a',
             [ 'https://op.example/', 'op.example' ] ],
);
my @flags = (
    good => [ 'On', 'Off', 'on' ],
    bad => [ '', 'maybe', '1', [] ],
);

# Directive => { good => [VALUE...], bad => [VALUE...] }: each VALUE is one
# argument; [ARGUMENT...] are several, [] is none.
my %value = (
    OpenIDIntercept => { @flags },
    OpenIDSession => {
        good => [ 'store', 'off', 'Store', 'OFF' ],
        bad => [ '', 'on', 'cookie', 'shm', [], [ 'store', 'off' ] ],
    },
    OpenIDPassHeaders => {
        good => [ 'off', 'Off', 'X-OpenID-', 'x', 'OpenID2RP-', 'A1-b-' ],
        bad => [ '', [], '-X', 'X_', 'X OpenID', 'X:', "X-\xc3\xbc", "X-\t",
                 'X.Y', [ 'X-', 'Y-' ] ],
    },
    # what needs other directives: t/remote_user.t, t/links.t
    OpenIDRemoteUser => {
        good => [ 'identifier', [ 'identifier', '(.*)', '$1' ],
                  [ 'identifier', 'https://(a|b)/([0-9]+)', '$2@$1' ] ],
        bad => [ '', [], 'nickname', 'sreg.', 'sreg.shoe', 'ax.', 'ax.a,b',
                 'id', [ 'identifier', '(.*)' ], [ 'identifier', '(', 'x' ],
                 [ 'identifier', '(.*)', '$2' ],
                 [ 'identifier', '(.*)', '$1', 'more' ] ],
    },
    OpenIDLinks => {
        good => [ "txt:$dir/links", 'txt:links',
                  [ "txt:$dir/links", 'missing=deny' ],
                  [ "txt:$dir/links", 'missing=identifier' ],
                  map({ [ "txt:$dir/links", "missing=$_" ] } '/register',
                      '/', '/a/', '/a/b.c', '/.a/..b/...', '/a./b..') ],
        bad => [ '', [], "$dir/links", 'txt:', "txt:$dir/none", "txt:$dir",
                 'dbm:', "dbm:$dir/none", 'file:x', 'dbd:',
                 [ "txt:$dir/links", 'missing=' ],
                 [ "txt:$dir/links", 'missing=register' ],
                 [ "txt:$dir/links", 'lost=deny' ],
                 map({ [ "txt:$dir/links", "missing=$_" ] } '//', '//x',
                     '/a//b', '/a//', '/.', '/./x', '/a/./b', '/a/.', '/..',
                     '/../x', '/a/../b', '/a/..', '/%72eg', '/a%20b', '/a%',
                     '/a?b'),
                 [ "txt:$dir/links", 'missing=deny', 'more' ] ],
    },
    OpenIDUnauthAction => {
        good => [ 'auto', 'login', '401', 'LOGIN' ],
        bad => [ '', 'sometimes', '403', 'on', [], [ 'auto', 'login' ] ],
    },
    OpenIDProvider => {
        good => [ [ 'My provider', 'https://op.example/' ],
                  [ '<b>&"', 'http://op.example:8080/a?b=c' ],
                  [ "F\xc3\xbcr dich", 'https://op.example' ],
                  [ 'In ASCII soon', "https://b\xc3\xbccher.example/" ],
                  map({ [ 'By name', $_ ] } @profiles) ],
        bad => [ map({ [ 'Label', $_ ] } @urls), [ '', 'https://op.example/' ],
                 [ 'Label', 'Steam' ], [ 'Label', 'off' ],
                 [ "\xff\xfe", 'https://op.example/' ], [],
                 [ "a\tb", 'https://op.example/' ], [ 'Label' ],
                 [ 'Label', 'https://op.example/', 'more' ] ],
    },
    OpenIDSingleProvider => {
        good => [ 'https://op.example/', 'http://localhost:8080/op',
                  @profiles, 'off', 'OFF' ],
        bad => [ @urls, [], 'Steam', 'steam ', 'myopenid',
                 [ 'https://a.example/', 'https://b.example/' ] ],
    },
    OpenIDProviderAllow => { @rules },
    OpenIDProviderDeny => { @rules },
    OpenIDRealm => {
        good => [ 'off', 'https://example.org/', 'http://example.org:8080/a/b',
                  'https://*.example.org/', 'https://*.www.example.org:8443/a',
                  'https://*.example.co.uk/' ],
        bad => [ @urls, [], 'https://example.org/#fragment',
                 'https://example.org/#', 'https://*/', 'https://*.com/',
                 'https://*.co.uk/', 'https://*.github.io/',
                 'https://www.*.example.org/', 'https://w*.example.org/',
                 'https://*example.org/', '*.example.org',
                 [ 'https://a.example/', 'https://b.example/' ] ],
    },
    OpenIDSReg => {
        good => [ 'off', [ 'required', 'nickname', 'email' ],
                  [ 'optional', qw(nickname email fullname dob gender postcode
                                   country language timezone) ],
                  [ 'policy', 'https://example.org/privacy' ] ],
        bad => [ [], '', 'required', 'policy', 'nickname',
                 [ 'required', 'shoesize' ], [ 'required', 'email', 'email' ],
                 [ 'required', 'Email' ], [ 'off', 'email' ],
                 map { [ 'policy', $_ ] } @urls ],
    },
    OpenIDAX => {
        good => [ 'off', [ 'required', 'email', 'first', 'last' ],
                  [ 'optional', 'email#3', 'nickname#unlimited' ],
                  [ 'optional', 'phone=http://axschema.org/contact/phone#2' ],
                  [ 'optional', 'x=http://example.org/schema#part' ],
                  [ 'optional', 'x=http://example.org/schema#part#3' ] ],
        bad => [ [], '', 'required', 'email', [ 'required', 'shoesize' ],
                 [ 'required', 'email#0' ], [ 'required', 'email#-1' ],
                 [ 'required', 'email#101' ], [ 'required', 'email#many' ],
                 [ 'required', 'x=nowhere' ], [ 'required', 'x=' ],
                 [ 'required', 'a.b=http://example.org/' ],
                 [ 'required', 'email', 'email' ], [ 'off', 'email' ],
                 [ 'required', ('x' x 33) . '=http://example.org/' ] ],
    },
    OpenIDPape => {
        good => [ 'off', 'max-auth-age=0', 'Max-Auth-Age=3600',
                  'http://schemas.openid.net/pape/policies/2007/06/'
                  . 'multi-factor',
                  [ 'max-auth-age=60', 'http://a.example/x', 'urn:x:y' ],
                  [ 'http://a.example/x', 'max-auth-age=60' ] ],
        bad => [ [], '', 'multi-factor', 'max-auth-age=',
                 'max-auth-age=-1', 'max-auth-age=1h', 'max-auth-age=1.5',
                 'max-auth-age=99999999999', 'max-age=60', '60',
                 'http://a.example/ x',
                 [ 'max-auth-age=60', 'phishing-resistant' ] ],
    },
    OpenIDTeams => {
        good => [ 'off', 'ubuntu-members', [ 'a', 'b.c+d_e', 'F00' ] ],
        bad => [ '', [], 'two words', 'a,b', 'a/b', "caf\xc3\xa9",
                 [ 'good', 'no good' ] ],
    },
    OpenIDImmediate => { @flags },
    OpenIDLogout => {
        good => [ '/logout', [ '/logout', '/bye?x=1' ], 'off', 'Off' ],
        bad => [ [], '', 'logout', 'https://example.org/logout', '/log out',
                 '/a\\b', '/a#b', '/', [ '/out', '/out' ],
                 [ '/out', 'https://evil.example/' ], [ '/out', 'bye' ],
                 [ '/out', '/\\evil.example' ], [ '/out', '/a', '/b' ],
                 [ '/out', "/a\tb" ], [ 'off', '/bye' ], [ '/out', 'off' ] ],
    },
    OpenIDSessionTimeout => {
        good => [ @{ { @times }->{good} }, [ '1h', '12h' ], [ '1h', '1h' ],
                  '12h', '720m', '13h', '721m', [ '13h', '13h' ],
                  [ '24h', '240h' ] ],
        bad => [ @{ { @times }->{bad} }, [], [ '2h', '1h' ], [ '1h', '0' ],
                 [ '13h', '12h' ],
                 [ '1h', 'late' ], [ '1h', '2h', '3h' ] ],
    },
    OpenIDCookie => {
        good => [ 'session', 'a.b-c_d', [ 'x', 'path=/a' ],
                  [ 'x', 'domain=example.org' ], [ 'x', 'domain=.example.org' ],
                  map({ [ 'x', "samesite=$_" ] } qw(Lax Strict lax)),
                  map({ [ 'x', "secure=$_" ] } qw(auto on)),
                  [ 'x', 'path=/', 'domain=a.example', 'samesite=None',
                    'secure=on' ], [ 'x', 'secure=on', 'samesite=none' ],
                  '__Host-x', [ '__Host-x', 'path=/', 'secure=on' ],
                  [ '__Host-x', 'secure=auto' ], [ '__Host-x', 'samesite=None' ],
                  '__Secure-x',
                  [ '__Secure-x', 'path=/a', 'domain=a.example' ],
                  'x__Host-', 'openid2rp_login', 'xopenid2rp_login_' ],
        bad => [ [], '', 'a b', 'a;b', 'a=b', 'a,b', "caf\xc3\xa9", 'x' x 65,
                 [ 'x', 'path=' ], [ 'x', 'path=a' ], [ 'x', 'path=/a;b' ],
                 [ 'x', 'domain=' ], [ 'x', 'domain=a;b' ],
                 [ '__Host-x', 'path=/a' ], [ '__Host-x', 'domain=a.example' ],
                 [ '__host-x', 'path=/a' ], [ '__HOST-x', 'domain=a.example' ],
                 [ 'x', 'samesite=None' ], [ 'x', 'samesite=none' ],
                 [ 'x', 'samesite=None', 'secure=auto' ],
                 'openid2rp_login_', 'openid2rp_login_x',
                 '__Host-openid2rp_login_x',
                 [ 'x', 'samesite=maybe' ], [ 'x', 'secure=off' ],
                 [ 'x', 'httponly=off' ], [ 'x', 'max-age=1' ] ],
    },
    OpenIDBaseURL => {
        good => [ 'https://example.org', 'https://example.org/',
                  'http://example.org:8080' ],
        bad => [ @urls, [], 'https://example.org/path',
                 'https://example.org/?a', 'https://example.org/#a' ],
    },
    OpenIDForwarded => {
        good => [ 'X-Forwarded-Proto', 'x-forwarded-host', 'Forwarded', 'none',
                  [ 'X-Forwarded-Proto', 'X-Forwarded-Host' ] ],
        bad => [ '', [], 'X-Forwarded-For', 'X-Forwarded', 'on', 'Host',
                 [ 'X-Forwarded-Proto', 'X-Real-IP' ] ],
    },
    OpenIDPublishXRDS => { @flags },
    OpenIDXRIProxy => {
        good => [ 'https://xri.example/', 'http://xri.example:8080/resolve',
                  'off', 'Off' ],
        bad => [ @urls, [], 'on', [ 'https://a.example/', 'off' ] ],
    },
    OpenIDAssociate => {
        good => [ 'background', 'login', 'never', 'Background' ],
        bad => [ '', 'sometimes', 'off', [], [ 'login', 'never' ] ],
    },
    OpenIDLoginTimeout => { @times },
    OpenIDNonceLifetime => { @times },
    OpenIDFetchTimeout => {
        good => [ '10s', [ '10s', '5s' ], [ '5s', '5s' ], '1s' ],
        bad => [ @{ { @times }->{bad} }, [], [ '10s', '0' ], [ '5s', '6s' ],
                 [ '1s', '1001ms' ],
                 [ '10s', 'quick' ], [ '1s', '1s', '1s' ] ],
    },
    OpenIDFetchMaxSize => {
        good => [ '1', '100000', '256K', '1M', '1m', '1G' ],
        bad => [ '', '0', '-1', 'K', '1.5M', '1T', 'big', '1KB', '1 M', [],
                 '99999999999999999999', '2000000G' ],
    },
    OpenIDFetchAllow => {
        good => [ '127.0.0.1', '10.0.0.0/8', [ '::1', 'fd00::/8' ],
                  '0.0.0.0/0' ],
        bad => [ '', [], '10.0.0.0/33', '10.0.0.1/8', 'fd00::/129',
                 'localhost', '10.0.0', '300.0.0.1', '10.0.0.0/-1', '10.0.0.0/',
                 [ '127.0.0.1', 'nonsense' ] ],
    },
    OpenIDFetchProxy => {
        good => [ 'http://proxy.example:3128', 'https://proxy.example/' ],
        bad => [ @urls, 'socks5://proxy.example/', [] ],
    },
    OpenIDFetchCAFile => {
        good => [ "$dir/ca.pem", 'ca.pem' ],
        bad => [ '', "$dir/none.pem", 'none.pem', $dir, [] ],
    },
    OpenIDFetchRequireTLS => { @flags },
    OpenIDRateLimit => {
        good => [ 'off', 'OFF', '60/1m', '1/1s', '1000/1s', '1/24h', '3/500ms',
                  '5/10', [ '60/1m', 'per=client' ], [ 'off', 'per=client' ],
                  [ '300/1M', 'per=server' ], [ 'off', 'PER=Server' ] ],
        bad => [ '', [], '60', '60/', '/1m', '0/1m', '-1/1m', '+1/1m',
                 '1.5/1m', '60 /1m', '60/0', '60/soon', '60/-1m', '60/1m/2',
                 '1001/1s', '1/25h', '1/999999999h', '99999999999/1h',
                 '4294967296/24h', '2/1ms', 'on', 'none',
                 [ '60/1m', 'client' ],
                 [ '60/1m', 'per=user' ], [ 'off', 'per=' ],
                 [ '60/1m', 'per=client', 'per=server' ] ],
    },
    OpenIDStore => {
        good => [ 'shm', 'shm:1M', 'shm:32M', 'shm:2097152', 'SHM:2m',
                  'dbm:/var/lib/openid2rp/store', 'dbm:state/store',
                  'dbm:state/store?size=1G', 'DBM:/x?size=1m',
                  'redis://localhost', 'redis://localhost/',
                  'redis://127.0.0.1:6380/3', 'redis://[::1]:6379/0',
                  'redis://:secret@redis.example', 'redis://me:s%40@r.example',
                  'redis://r.example?prefix=site1:&timeout=2s',
                  'redis:///run/redis.sock', 'redis:///run/redis.sock'
                  . '?database=3&prefix=x&timeout=50ms',
                  "redis://r.example?password-file=$dir/password",
                  'rediss://r.example', "rediss://r.example/1?ca=$dir/ca.pem",
                  'memcache://localhost', 'memcache://a.example:11212',
                  'memcache://a.example,b.example:1,10.0.0.1?prefix=x' ],
        bad => [ '', [], 'shm:', 'shm:0', 'shm:1', 'shm:1023K', 'shm:-1M',
                 'shm:big', 'shm:999999G', 'shmem',
                 'shm:1M:2M', [ 'shm', '1M' ], 'shm:1M?prefix=x',
                 'dbm:state/', 'dbm:/x?size=1K',
                 'redis://r.example?timeout=0', 'redis://r.example?timeout=2h',
                 'redis://r.example?password-file=relative',
                 "redis://r.example?password-file=$dir/none",
                 "redis://r.example?password-file=$dir/open",
                 'rediss://r.example?ca=x.pem' ],
    },
);

sub quoted {
    return join ' ', map { '"' . s/(["\\])/\\$1/gr . '"' } @_;
}

# One sentence that names the directive, and what is wrong with it.
sub is_clear {
    my ($text, $name, @args) = @_;
    my @lines = split /\n/, $text;
    # httpd writes what is not ASCII as \xHH, and so does this.
    my @seen = map { s/([^ -~])/$1 eq "\t" ? '\\t'
        : sprintf '\\x%02x', ord $1/ger =~ s/\\(?![tx])/\\\\/gr } @args;
    return 0 if @lines != 1 || $lines[0] !~ /\A\Q$name\E\b.+/;
    # httpd's own words where there are too few or too many arguments
    return 1 if $lines[0] =~ /takes|requires|must be On or Off/;
    my @bare = map { my $value = $_; ($value, $value =~ /\A([^=]+)=/,
                     $value =~ /[=#]([^=#]*)\z/,
                     $value =~ /:(.*)\z/) } @args, @seen;
    return grep({ $_ ne '' && index($lines[0], $_) >= 0 } @bare)
        || $lines[0] =~ /the label must|""|write |must have %s|a path has no|the name must|\*\*\*@/;
}

my %context;        # directive => in which sections it may stand
for my $name (sort keys %value) {
    my @bad_good = grep { objection("$name " . quoted(ref $_ ? @$_ : $_)) }
        @{ $value{$name}{good} };
    is_deeply \@bad_good, [], "$name takes what it should take"
        or diag objection("$name " . quoted(ref $bad_good[0]
                          ? @{ $bad_good[0] } : $bad_good[0]));
    my @unclear;
    for my $bad (@{ $value{$name}{bad} }) {
        my @args = ref $bad ? @$bad : $bad;
        my $text = objection("$name " . quoted(@args));
        push @unclear, "$name " . quoted(@args) . ": " . ($text || 'taken')
            unless is_clear($text, $name, @args);
    }
    is join("\n", @unclear), '', "$name stops httpd, in one clear sentence, "
        . 'at what it should not take';

    my $good = "$name " . quoted(map { ref $_ ? @$_ : $_ }
                                 $value{$name}{good}[0]);
    $context{$name} = {
        'virtual host' => !objection('<VirtualHost *:1>', $good,
                                     '</VirtualHost>'),
        'directory' => !objection('<Location "/x">', $good, '</Location>'),
    };
    my $bad_inside = $context{$name}{directory}
        && !objection('<Location "/x">',
                      "$name " . quoted('no/such thing', 'at', 'all'),
                      '</Location>');
    ok !$bad_inside, "$name is checked in sections too";
}
like objection('<VirtualHost *:1>', 'OpenIDStore shm:2M', '</VirtualHost>'),
    qr/\AOpenIDStore cannot occur within/,
    'OpenIDStore is for the main server only';

like objection('OpenIDRateLimit 60'), qr{\AOpenIDRateLimit:\ "60"\ is\ not\ 
    STARTS/INTERVAL\ such\ as\ "60/1m",\ or\ off\.$}x,
    'OpenIDRateLimit says what it takes';
like objection('OpenIDRateLimit 2000/1s'),
    qr{"2000/1s" is more than 1000 a second; write "off" for no limit\.$},
    'and what is no limit any more';
is objection('OpenIDRateLimit 9/1m', 'OpenIDRateLimit 99/1m per=server'), '',
    'it can be said of clients and of all together';

# Of a place, not everything may be repeated: it can be a part of a password.
my %place = (
    'disk:/tmp/x', 'The store "disk" is none of shm, dbm:, redis://',
    'dbm', 'Behind "dbm" comes ":"', 'dbm:', 'not a path',
    'dbm:/x?colour=red', 'There is no option "colour"',
    'dbm:/', 'is a folder', 'dbm:/x?size=', 'size',
    'dbm:/x?size', 'An option has no value',
    'dbm:/x?prefix=y', 'The option "prefix" is for redis and memcache only',
    'dbm:/x?size=2M&size=2M', 'The option "size" is there twice',
    map({ $_ => 'Behind "redis" comes "://"' }
        'redis', 'redis:', 'redis:localhost'),
    map({ $_ => 'There is no host' } 'redis://', 'redis://?prefix=x',
        'redis:///', 'redis://::1', 'memcache://', 'memcache://a.example,'),
    map({ $_ => 'host.* is not a name or an address' } 'redis://exa mple',
        'redis://a.example,b.example'),
    map({ $_ => 'host.* is not an IPv6 address' } 'redis://[::1',
        'redis://[zz]'),
    map({ $_ => 'port.* is not a number from 1 to 65535' }
        'redis://r.example:0', 'redis://r.example:65536',
        'redis://r.example:x', 'redis://[::1]:'),
    map({ $_ => 'database.* is not a number' } 'redis://r.example/x',
        'redis://r.example/-1'),
    'redis://r.example?prefix=', 'prefix',
    'redis://r.example?prefix=a%20b', 'The prefix "a b" does not consist of',
    'redis://r.example?size=1M', 'The option "size" is for dbm only',
    'redis://r.example?database=1', 'for redis with a socket',
    'redis://r.example?ca=/x.pem', 'The option "ca" is for rediss only',
    'redis://r.example?', 'An option has no value',
    'redis://me@r.example', 'user name, but no password',
    'rediss:///run/redis.sock', 'A socket has no TLS',
    'memcache:', 'Behind "memcache" comes "://"',
    'memcache://a.example/1', 'memcache has no databases',
    'memcache://[::1]', 'IPv4 only',
    'memcache://a.example,A.example', 'is there twice',
    'memcache://a.example?timeout=1s', 'The option "timeout" is for redis only',
);
for my $bad (sort keys %place) {
    like objection('OpenIDStore ' . quoted($bad)),
        qr/\AOpenIDStore: [^\n]*(?:$place{$bad})[^\n]*\n\z/,
        "OpenIDStore $bad stops httpd, which says why";
}
for my $bad ('redis://:not-to-be-seen@', 'redis://not-to-be-seen@r.example:x',
             'redis://a:not-to-be-seen@r.example/x',
             'redis://a:not-to-be-seen%@r.example',
             'memcache://a:not-to-be-seen@m.example',
             'shm:not-to-be-seen@x', 'redis://a:b@c?not-to-be-seen') {
    my $text = objection("OpenIDStore $bad");
    like $text, qr/\AOpenIDStore: ./, "$bad is no place";
    unlike $text, qr/not-to-be-seen/, 'and a password is not repeated';
}
for my $name ('OpenIDFetchProxy', 'OpenIDXRIProxy') {
    my $text = objection("$name http://me:not-to-be-seen\@p.example:3128/");
    like $text, qr/\A$name: .*\*\*\*\@p\.example/, "$name takes no password";
    unlike $text, qr/not-to-be-seen/, 'nor repeats it';
}
for my $line ('OpenIDBaseURL https://a.example', 'OpenIDForwarded none',
              'OpenIDPublishXRDS On', 'OpenIDXRIProxy off',
              'OpenIDRateLimit 60/1m') {
    my ($name) = split ' ', $line;
    like objection('<Location "/x">', $line, '</Location>'),
        qr/\A$name not allowed/, "$name is for servers only";
}

# --- the same one twice -----------------------------------------------------

like objection('OpenIDSReg required email', 'OpenIDSReg optional email'),
    qr/\AOpenIDSReg: .*"email".*twice/, 'a field is asked for once';
like objection('OpenIDAX required email', 'OpenIDAX optional email'),
    qr/\AOpenIDAX: .*"email".*twice/, 'an attribute is asked for once';
is objection('OpenIDSReg required email', 'OpenIDSReg optional nickname',
             'OpenIDSReg policy https://example.org/'), '',
    'control: OpenIDSReg adds up';
is objection('OpenIDSReg required email', '<Location "/x">',
             'OpenIDSReg required email', '</Location>'), '',
    'a section begins a list of its own';
is objection('OpenIDProvider a https://a.example/',
             'OpenIDProvider b https://b.example/'), '',
    'OpenIDProvider adds up';
is objection('OpenIDProviderAllow https://a.example/',
             'OpenIDProviderAllow https://b.example/',
             'OpenIDProviderDeny https://a.example/x',
             'OpenIDTeams a', 'OpenIDTeams b', 'OpenIDForwarded Forwarded',
             'OpenIDForwarded X-Forwarded-Host'), '',
    'and so do the rules for providers, teams, and headers';
is objection('OpenIDCookie a', 'OpenIDCookie b', 'OpenIDUnauthAction auto',
             'OpenIDUnauthAction 401', 'OpenIDPape max-auth-age=1',
             'OpenIDPape max-auth-age=2'), '', 'elsewhere the last one counts';

# --- the documents agree with the code --------------------------------------

my $code = slurp('mod_openid2rp.c');
my %table = map { ($_ => 1) } $code =~ /\bAP_INIT_\w+\("(\w+)"/g;
cmp_ok scalar(keys %table), '>', 15, 'control: the table of directives is read';
is_deeply [ sort keys %value ], [ sort keys %table ],
    'every directive of the module is tested here, and no other';

my $manual = slurp('docs/directives.md');
my @sections = split /^(?=## )/m, $manual;
my %section = map { /\A## `?(OpenID\w+)`?\s*$/m ? ($1 => $_) : () } @sections;
is_deeply [ sort keys %section ], [ sort keys %table ],
    'docs/directives.md has a section for every directive, and no other';
for my $name (sort keys %section) {
    my ($where) = $section{$name} =~ /^\| Context \| (.*?) *\|$/m;
    is $where // 'no context', join(', ', 'server config',
        $context{$name}{'virtual host'} ? 'virtual host'
                                        : 'not in a virtual host',
        $context{$name}{directory} ? ('directory', '.htaccess') : ()),
        "docs/directives.md says where $name may stand";
    my ($default) = $section{$name} =~ /^\| Default \| `([^`]*)` *\|$/m;
    next unless defined $default;
    $default = "$name $default" unless $default =~ /\A$name /;
    is objection($default), '', "the default of $name is a value that it takes";
}
my %stray = map { ($_ => 1) } grep { !$table{$_} }
    $manual =~ /\b(OpenID[A-Z]\w+)\b/g;
is_deeply [ sort keys %stray ], [],
    'docs/directives.md speaks of no directive that does not exist';

my $sample = slurp('conf/openid2rp.conf');
my %sampled = map { ($_ => 1) } $sample =~ /^\s*#?\s*(OpenID[A-Z]\w+)\s/mg;
is_deeply [ sort keys %sampled ], [ sort keys %table ],
    'conf/openid2rp.conf has every directive, and no other';
is objection(split /\n/, $sample), '', 'httpd takes conf/openid2rp.conf';
mkdir "$dir/conf";
write_file("$dir/conf/private-ca.pem", '');
my @refused = grep { $_ } map { objection($_) }
    $sample =~ /^#(OpenID[A-Z].*)/mg;
is_deeply \@refused, [], 'and every line of it that is a comment';

# --- and its variables ------------------------------------------------------

my $vars = slurp('src/httpd/openid2rp_vars.c');
my %set = map { ("OPENID2RP_$_" => 1) } $vars =~ /set_var\(r, "(\w+)"/g;
my @prefixes = map { "OPENID2RP_$_" }
    $vars =~ /apr_pstrcat\(r->pool, "([A-Z]+_)"/g;
$set{REMOTE_USER} = 1 if $vars =~ /r->user =/;
$set{AUTH_TYPE} = 1 if $vars =~ /r->ap_auth_type =/;
is_deeply [ sort @prefixes ], [ 'OPENID2RP_AX_', 'OPENID2RP_SREG_' ],
    'control: the variables are read';
my $book = slurp('docs/variables.md');
my %row = map { ($_ => 1) } $book =~ /^\| `(\w+)` \|/mg;
is_deeply [ sort keys %row ], [ sort keys %set ],
    'docs/variables.md has a row for every variable, and no other';
my %family = map { ($_ => 1) } $book =~ /^\| `(\w+_)<\w+>/mg;
is_deeply [ sort keys %family ], [ sort @prefixes ],
    'and for every family of them';
my @unknown = grep { my $name = $_; !$set{$name}
        && !grep { index($name, $_) == 0 } @prefixes }
    $book =~ /\b(?<!HTTP_)(OPENID2RP_[A-Z_0-9]+)\b/g;
is_deeply \@unknown, [], 'and speaks of no variable that does not exist';

# --- and its tests ----------------------------------------------------------

my $promises = slurp('docs/security.md');
my %named = map { ($_ => 1) } $promises =~ m{`((?:[a-z]+/)?\w+\.[tc])`}g;
is_deeply [ grep { !-e "t/$_" } sort grep { !/\*/ } keys %named ], [],
    'docs/security.md names no test that does not exist';
is_deeply [ grep { !$named{$_} } map { s{^t/}{}r }
            glob('t/security/*.t'), 't/browser/attack.t' ], [],
    'and every test of attacks';

done_testing;
