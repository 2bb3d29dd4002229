#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# op.cgi - an OpenID 2.0 and 1.1 provider with two users and no passwords,
# for `make demo` and for the tests. Never put it on a public network.
#
# The protocol is Net::OpenID::Server's (package Demo::Server below corrects
# it); this file adds discovery, pages for people, SREG and AX. It keeps no
# state: association keys derive from the secret, cookies are signed.
#
# Environment:
#   OP_BASE    the URL this script is mounted at, e.g. http://localhost:8080/op
#   OP_SECRET  key material; or else the file OP_STATE/secret, made if missing
#   OP_STATE   a directory that the script may write: op.log, secret, nonces/
# and these settings, each from the first line of the file OP_STATE/NAME, so
# that a test can change it while httpd runs, or else from the environment:
#   assoc    OP_ASSOC     all    HMAC-SHA256 and HMAC-SHA1 (the default)
#                         sha1   HMAC-SHA256 is answered with unsupported-type
#                         none   every association is refused: stateless only
#                         stock  as Net::OpenID::Server answers by itself
#   auto     OP_AUTO      alice, bob: that user approves at once, no pages;
#                         any: whoever the request is about; cancel: refuses.
#                         A request's cookie op_auto does the same
#   answer   OP_ANSWER    redirect (the default), or post: a form that a
#                         browser submits to return_to
#   lifetime OP_LIFETIME  seconds an association lives (1209600)

use v5.14;
use strict;
use warnings;

# ---------------------------------------------------------------------------
package Demo::Server;

# Net::OpenID::Server 1.09 with its faults mended from outside. Each method
# says what is wrong in the library.

use Net::OpenID::Server;
use URI;
our @ISA = ('Net::OpenID::Server');

my $OPENID2 = OpenID::util::version_2_namespace();
my %SESSION_OF = ('HMAC-SHA1' => 'DH-SHA1', 'HMAC-SHA256' => 'DH-SHA256');

our $policy = 'all';            # the setting "assoc"
our $claim_nonce = sub { 1 };   # false: this nonce was confirmed before
our $hide_ns = 0;

sub handle_type {
    my ($handle) = @_;
    return unless defined $handle
        && $handle =~ /\A\d{1,15}:[\w.]+:([0-9a-f]+)\z/;
    return { 10 => 'HMAC-SHA1', 16 => 'HMAC-SHA256' }->{ length $1 };
}

# The library reads the ns here only to refuse DH-SHA256 (_mode_associate).
sub message {
    my $self = shift;
    return undef if $hide_ns && @_ && $_[0] eq 'ns';
    return $self->SUPER::message(@_);
}

sub kv {
    my ($self, %prop) = @_;
    my $ns = $self->args('openid.ns');
    $prop{ns} = $ns if defined $ns && $ns eq $OPENID2;
    return $self->_serialized_props(\%prop);
}

# In 2.0 the library accepts no session but DH-SHA1 (also for HMAC-SHA256,
# where 12 of the 32 bytes of the key would travel in clear), suggests the
# impossible pair HMAC-SHA256 with DH-SHA1, and dies of an unknown type. Its
# arithmetic for DH-SHA256 is right: so the types are judged here, and its
# own judgement is skipped.
sub _mode_associate {
    my ($self) = @_;
    return $self->SUPER::_mode_associate if $policy eq 'stock';

    my $v2 = ($self->args('openid.ns') // '') eq $OPENID2;
    my $type = $self->args('openid.assoc_type') // ($v2 ? '' : 'HMAC-SHA1');
    my $session = $self->args('openid.session_type') // '';
    my @may = $policy eq 'none' ? ()
            : $policy eq 'sha1' ? ('HMAC-SHA1')
            : ('HMAC-SHA256', 'HMAC-SHA1');
    my $fits = $session eq ($SESSION_OF{$type} // '?')
        || (!$v2 && $session eq '');            # clear text: 1.1 only

    unless ($fits && grep { $_ eq $type } @may) {
        return $self->kv(error => 'this provider makes no associations',
                         error_code => 'unsupported-type') unless @may;
        return $self->kv(error => "use $may[0] with $SESSION_OF{$may[0]}",
                         error_code => 'unsupported-type',
                         assoc_type => $may[0],
                         session_type => $SESSION_OF{$may[0]});
    }
    return $self->kv(error => 'dh_consumer_public is missing or malformed')
        if $session && !OpenID::util::arg2int(
            $self->args('openid.dh_consumer_public'));

    local $hide_ns = 1;
    return $self->SUPER::_mode_associate;
}

# The library takes every handle for HMAC-SHA1 unless told, which makes it
# declare HMAC-SHA256 handles invalid, and it never looks at a handle's age.
sub _secret_of_handle {
    my ($self, $handle, %opt) = @_;
    $opt{type} = handle_type($handle) or return;
    my ($issued) = $handle =~ /\A(\d+)/;
    return if $issued > time + 60
        || $issued + $self->secret_expire_age <= time;
    return $self->SUPER::_secret_of_handle($handle, %opt);
}

# The library answers an unknown handle with an error instead of
# is_valid:false, knows the HMAC only from assoc_type (a field of its own,
# which is in no specification), and confirms a response as often as it is
# asked (2.0, 11.4.2: not more than once).
sub _mode_check_authentication {
    my ($self) = @_;
    my $handle = $self->args('openid.assoc_handle');
    return $self->kv(error => 'assoc_handle is missing')
        unless defined $handle && length $handle;
    return $self->kv(is_valid => 'false')
        unless $self->_secret_of_handle($handle, dumb => 1)
        && ($self->args('openid.assoc_type') // 'HMAC-SHA1')
            eq handle_type($handle);

    my @answer = $self->SUPER::_mode_check_authentication;
    return $self->kv(is_valid => 'false')
        if $answer[1] =~ /^is_valid:true$/m
        && !$claim_nonce->($self->args('openid.response_nonce') // '');
    return @answer;
}

# The library's cancel is a 1.x message always.
sub cancel_return_url {
    my ($self, %opt) = @_;
    my $url = $self->SUPER::cancel_return_url(%opt);
    $self->add_ns(\$url);
    return $url;
}

sub add_ns {
    my ($self, $url) = @_;
    OpenID::util::push_url_arg($url, 'openid.ns' => $OPENID2)
        if ($self->args('openid.ns') // '') eq $OPENID2;
}

# The library compares host names by case, lets a realm have a fragment, and
# knows no limit for the wildcard: http://*.org would be a realm.
sub realm_matches {
    my ($realm, $return_to) = @_;
    for ($realm, $return_to) {
        return 0 unless m{\Ahttps?://[^/\s]}i && !/[#\s]/;
    }
    return 0 if $realm =~ m{\A\w+://\*} && $realm !~ m{\A\w+://\*\.[^/:]+\.[^/:]};
    return Net::OpenID::Server::_url_is_under(
        map { URI->new($_)->canonical->as_string } $realm, $return_to) ? 1 : 0;
}

# ---------------------------------------------------------------------------
package main;

use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use Fcntl qw(O_WRONLY O_CREAT O_EXCL);
use URI::Escape qw(uri_escape);

my $SELECT = OpenID::util::version_2_identifier_select_url();
my $SREG11 = 'http://openid.net/extensions/sreg/1.1';
my $SREG10 = 'http://openid.net/sreg/1.0';
my $AX = 'http://openid.net/srv/ax/1.0';
my $BODY_MAX = 65_536;

# What a user may tell, in the order of the consent page: name, label, type.
my @FIELDS = (
    [ nickname => 'Nickname',    'namePerson/friendly' ],
    [ email    => 'Mail',        'contact/email' ],
    [ fullname => 'Full name',   'namePerson' ],
    [ first    => 'First name',  'namePerson/first' ],
    [ last     => 'Last name',   'namePerson/last' ],
    [ dob      => 'Born',        'birthDate' ],
    [ gender   => 'Gender',      'person/gender' ],
    [ postcode => 'Postal code', 'contact/postalCode/home' ],
    [ country  => 'Country',     'contact/country/home' ],
    [ language => 'Language',    'pref/language' ],
    [ timezone => 'Time zone',   'pref/timezone' ],
);
my %FIELD_OF = map { ("http://axschema.org/$_->[2]" => $_->[0]) } @FIELDS;
my %IS_SREG = map { $_->[0] => 1 } grep { $_->[0] !~ /^(?:first|last)$/ } @FIELDS;

# Bytes, UTF-8. Alice has two mail addresses (AX), Bob keeps some to himself.
my %USER = (
    alice => {
        nickname => 'alice', fullname => 'Alice Sørensen-Łukasz',
        first => 'Alice', last => 'Sørensen-Łukasz',
        email => [ 'alice@example.com', 'alice@example.org' ],
        dob => '1985-04-12', gender => 'F', postcode => '8000',
        country => 'DK', language => 'da', timezone => 'Europe/Copenhagen',
    },
    bob => {
        nickname => 'bob', fullname => 'Bob <b>O\'Neil</b> & Sons',
        first => 'Bob', last => 'O\'Neil', email => ['bob@example.net'],
        country => 'IE', language => 'en', timezone => 'Europe/Dublin',
    },
);

my $STATE = $ENV{OP_STATE};
my $BASE = base_url();
my $ENDPOINT = "$BASE/endpoint";
my $SECRET = server_secret();
my %COOKIE = map { /\A\s*([^=\s]+)=(.*?)\s*\z/ ? ($1, $2) : () }
             split /;/, $ENV{HTTP_COOKIE} // '';
my @cookies_out;

eval { route($ENV{PATH_INFO} // ''); 1 } or do {
    warn "op.cgi: $@";
    page('500 Internal Server Error', 'Something broke',
         '<p>The provider failed; its error log says why.</p>');
};
exit 0;

# --- routes -----------------------------------------------------------------

sub route {
    my ($path) = @_;
    return home() if $path eq '' || $path eq '/';
    return xrds([ OpenID::util::version_2_xrds_directed_service_url() ])
        if $path eq '/xrds';
    if ($path =~ m{\A/(user|html|html11)/([a-z]+)(/xrds)?\z} && $USER{$2}) {
        return xrds([ OpenID::util::version_2_xrds_service_url() ],
                    [ OpenID::util::version_1_xrds_service_url() ])
            if $1 eq 'user' && $3;
        return user_page($1, $2) unless $3;
    }
    return endpoint() if $path eq '/endpoint';
    return decide() if $path eq '/decide' && $ENV{REQUEST_METHOD} eq 'POST';
    return page('404 Not Found', 'Not here',
                '<p>This provider has no such page.</p>');
}

sub home {
    return xrds([ OpenID::util::version_2_xrds_directed_service_url() ])
        if ($ENV{HTTP_ACCEPT} // '') =~ m{application/xrds\+xml}i;
    my ($who) = signed_in();
    my $list = join '', map {
        my $u = $_;
        '<li><b>' . esc(ucfirst $u) . '</b>: ' . join(' · ', map {
            "<a href='" . esc("$BASE/$_->[0]/$u") . "'>$_->[1]</a>"
        } ['user', 'Yadis'], ['html', 'HTML 2.0'], ['html11', 'HTML 1.1'])
        . '</li>' } sort keys %USER;
    my $state = $who
        ? form('', "<p>You are signed in as <b>" . esc($who) . '</b>.</p>'
             . "<p><button name=do value=signout>Sign out</button></p>")
        : '<p>You are not signed in here.</p>';
    return page('200 OK', 'Demo provider', <<"HTML", "$BASE/xrds");
<p>This is an OpenID provider with two users and no passwords. Its OP
Identifier is <code>@{[ esc("$BASE/") ]}</code>.</p>
<ul>$list</ul>
$state
HTML
}

sub user_page {
    my ($kind, $name) = @_;
    my $local = "$BASE/user/$name";
    my ($ep, $id) = (esc($ENDPOINT), esc($local));
    my %links = (
        user => '',
        html => "<link rel='openid2.provider openid.server' href='$ep'>\n"
              . "<link rel='openid2.local_id openid.delegate' href='$id'>\n",
        html11 => "<link rel='openid.server' href='$ep'>\n"
                . "<link rel='openid.delegate' href='$id'>\n",
    );
    my %how = (
        user   => 'through Yadis: this page has an X-XRDS-Location header',
        html   => "by HTML links only, as <code>$id</code> (delegation)",
        html11 => "by HTML links of OpenID 1.1 only, as <code>$id</code>",
    );
    return page('200 OK', "The page of " . ucfirst $name,
        "<p>This URL is an OpenID, found $how{$kind}.</p>",
        $kind eq 'user' ? "$local/xrds" : undef, $links{$kind});
}

sub xrds {
    my $n = 0;
    my $services = join '', map {
        my $types = join '', map { "      <Type>" . esc($_) . "</Type>\n" }
                    @$_, $SREG11, $AX;
        "    <Service priority=\"" . 10 * $n++ . "\">\n$types"
            . "      <URI>" . esc($ENDPOINT) . "</URI>\n    </Service>\n";
    } @_;
    respond('200 OK', [ 'Content-Type: application/xrds+xml',
                        'Vary: Accept' ], <<"XML");
<?xml version="1.0" encoding="UTF-8"?>
<xrds:XRDS xmlns:xrds="xri://\$xrds" xmlns="xri://\$xrd*(\$v*2.0)">
  <XRD>
$services  </XRD>
</xrds:XRDS>
XML
}

# --- the endpoint -----------------------------------------------------------

sub endpoint {
    my $post = $ENV{REQUEST_METHOD} eq 'POST';
    my $raw = $post ? body() : $ENV{QUERY_STRING} // '';
    my $in = defined $raw ? parse($raw) : undef;
    my $mode = $in ? $in->{'openid.mode'} // '' : '';
    return page('200 OK', 'An OpenID endpoint',
                '<p>Programs talk here. There is nothing to see.</p>')
        if !$post && $in && $mode eq '';
    return checkid($in) if $in && $mode =~ /\Acheckid_(?:setup|immediate)\z/
        && !$post;
    # SameSite cookies stay away from a cross-site POST: ask again by GET.
    return redirect("$ENDPOINT?$raw")
        if $in && $mode =~ /\Acheckid_(?:setup|immediate)\z/;
    return direct($in // {}, $post,
                  !defined $raw ? 'the message is too long'
                : !$in ? 'a parameter is repeated' : '');
}

sub direct {
    my ($in, $post, $fault) = @_;
    my $mode = $in->{'openid.mode'} // '';
    my $ns = $in->{'openid.ns'};
    $fault ||= !$post ? 'direct requests are sent by POST'
        : defined $ns && $ns ne $OPENID2
          && $ns !~ m{\Ahttp://openid\.net/signon/1\.[01]\z}
            ? 'openid.ns is unknown'
        : $mode !~ /\A(?:associate|check_authentication)\z/
            ? 'openid.mode is unknown' : '';
    my $text;
    unless ($fault) {
        (undef, $text) = eval { server($in)->handle_page };
        warn "op.cgi: $@" if $@;
        $fault = 'the request could not be understood' unless defined $text;
    }
    # The library sends its errors with 200, and without the ns of 2.0.
    $text = "error:$fault\nns:$OPENID2\n" if $fault;
    my $status = $text =~ /^error:/m && $Demo::Server::policy ne 'stock'
        ? '400 Bad Request' : '200 OK';
    $text .= "ns:$OPENID2\n" if $text !~ /^ns:/m && ($ns // '') eq $OPENID2;
    my ($result) = $text =~ /^((?:error|is_valid):.*)$/m;
    log_line($mode, $in, $result // 'ok');
    respond($status, [ 'Content-Type: text/plain; charset=utf-8',
                       'Cache-Control: no-store' ], $text);
}

# %opt: approve => 1 or cancel => 1 after the consent page; send => { field }
sub checkid {
    my ($in, %opt) = @_;
    my $v2 = ($in->{'openid.ns'} // '') eq $OPENID2;
    my $return_to = $in->{'openid.return_to'} // '';
    my $realm = $in->{ $v2 ? 'openid.realm' : 'openid.trust_root' };
    ($realm = $return_to) =~ s/\?.*//s unless defined $realm && $realm ne '';
    return bad('Its return address (return_to) is missing or malformed.')
        unless $return_to =~ m{\Ahttps?://[^\s#]+\z}i;
    return bad('Its realm does not cover its return address.')
        unless Demo::Server::realm_matches($realm, $return_to);
    return bad('It speaks an unknown version of OpenID.')
        unless server($in)->message;

    my $identity = $in->{'openid.identity'} // '';
    my $claimed = $in->{'openid.claimed_id'};
    return indirect_error($in, 'identity is missing') if $identity eq '';
    return indirect_error($in, 'claimed_id is missing')
        if $v2 && ($claimed // '') eq '';
    my $select = $v2 && $identity eq $SELECT;
    my ($wanted) = $identity =~ m{\A\Q$BASE\E/user/([a-z]+)\z};
    return indirect_error($in, 'identity is not of this provider')
        unless $select || ($wanted && $USER{$wanted});

    my $auto = $COOKIE{op_auto} // setting('auto') // '';
    my ($who, $trusted) = signed_in();
    if ($auto eq 'any') { $who = $wanted // 'alice' }
    elsif ($USER{$auto}) { $who = $auto }
    return cancel($in) if $opt{cancel} || $auto eq 'cancel';

    my $is_owner = $who && (!$wanted || $wanted eq $who);
    return approve($in, $who, $opt{send})
        if $is_owner && ($opt{approve} || $auto eq 'any' || $USER{$auto}
                         || $trusted->{ realm_id($realm) });
    return setup_needed($in) if $in->{'openid.mode'} eq 'checkid_immediate';
    log_line('checkid_setup', $in, $is_owner ? 'ask consent' : 'ask sign-in');
    return $is_owner ? consent_page($in, $who, $realm)
                     : sign_in_page($in, $wanted, $realm);
}

sub approve {
    my ($in, $who, $send) = @_;
    my $server = server($in);
    my $ns = $in->{'openid.ns'};
    # The request's handle tells the HMAC; the library asks for assoc_type,
    # which no relying party sends here.
    my $type = Demo::Server::handle_type($in->{'openid.assoc_handle'})
        // (($ns // '') eq $OPENID2 && $Demo::Server::policy ne 'sha1'
            ? 'HMAC-SHA256' : 'HMAC-SHA1');
    my $url = $server->signed_return_url(
        identity     => "$BASE/user/$who",
        claimed_id   => $in->{'openid.claimed_id'},
        return_to    => $in->{'openid.return_to'},
        assoc_handle => $in->{'openid.assoc_handle'},
        assoc_type   => $type,
        ns           => $ns // '',
        additional_fields => extensions($in, $who, $send));
    log_line($in->{'openid.mode'}, $in, "approved $who");
    return answer($in, $url);
}

sub cancel {
    my ($in) = @_;
    log_line($in->{'openid.mode'}, $in, 'cancelled');
    return answer($in, server($in)->cancel_return_url(
        return_to => $in->{'openid.return_to'}));
}

# The library's setup URL has lost claimed_id and every extension: here it is
# the request itself, as checkid_setup.
sub setup_needed {
    my ($in) = @_;
    my $setup = "$ENDPOINT?" . serialize({ %$in,
                                           'openid.mode' => 'checkid_setup' });
    my $v2 = ($in->{'openid.ns'} // '') eq $OPENID2;
    my $url = $in->{'openid.return_to'};
    OpenID::util::push_url_arg(\$url,
        'openid.mode' => $v2 ? 'setup_needed' : 'id_res',
        'openid.user_setup_url' => $setup);
    server($in)->add_ns(\$url);
    log_line('checkid_immediate', $in, 'setup_needed');
    return answer($in, $url);
}

sub indirect_error {
    my ($in, $why) = @_;
    my $url = $in->{'openid.return_to'};
    OpenID::util::push_url_arg(\$url, 'openid.mode' => 'error',
                               'openid.error' => $why);
    server($in)->add_ns(\$url);
    log_line($in->{'openid.mode'}, $in, "error: $why");
    return answer($in, $url);
}

sub answer {
    my ($in, $url) = @_;
    return redirect($url) if (setting('answer') // '') ne 'post';
    my $to = $in->{'openid.return_to'} =~ s/[&?]\z//r;
    my $fields = parse(substr($url, 1 + length $to));
    my $inputs = join "\n", map {
        sprintf '<input type=hidden name="%s" value="%s">', esc($_),
            esc($fields->{$_}) } sort keys %$fields;
    return page('200 OK', 'Back to the site', <<"HTML", undef, '', 'submit');
<form id=answer method=post action="@{[ esc($to) ]}">
$inputs
<p><button>Continue to @{[ esc($to =~ m{\A(\w+://[^/]+)}) ]}</button></p>
</form>
HTML
}

# --- SREG and AX ------------------------------------------------------------

# What the request asks for: ({ field => required? }, sreg fields, ax list).
sub asked {
    my ($in) = @_;
    my (%asked, %sreg, @ax);
    if (my ($alias) = alias_of($in, $SREG11, $SREG10)) {
        for my $level ('optional', 'required') {
            for (split /,/, $in->{"openid.$alias.$level"} // '') {
                next unless $IS_SREG{$_};
                $sreg{$_} = 1;
                $asked{$_} ||= $level eq 'required';
            }
        }
    }
    my ($alias) = alias_of($in, $AX);
    if ($alias && ($in->{"openid.$alias.mode"} // '') eq 'fetch_request') {
        for my $level ('if_available', 'required') {
            for my $name (split /,/, $in->{"openid.$alias.$level"} // '') {
                my $type = $in->{"openid.$alias.type.$name"} // next;
                # The library leaves signed names with a hyphen out of
                # check_authentication: such an alias is replaced.
                push @ax, { alias => $name =~ /\A\w+\z/ ? $name : 'a' . @ax,
                            type => $type, field => $FIELD_OF{$type},
                            count => $in->{"openid.$alias.count.$name"} };
                $asked{ $FIELD_OF{$type} } ||= $level eq 'required'
                    if $FIELD_OF{$type};
            }
        }
    }
    return (\%asked, \%sreg, \@ax);
}

sub alias_of {
    my ($in, @uris) = @_;
    for my $key (sort grep { /\Aopenid\.ns\./ } keys %$in) {
        return $key =~ s/\Aopenid\.ns\.//r
            if grep { $_ eq $in->{$key} } @uris;
    }
    # SREG 1.0 has no namespace.
    return 'sreg' if $uris[0] eq $SREG11 && !defined $in->{'openid.ns.sreg'}
        && grep { /\Aopenid\.sreg\./ } keys %$in;
    return;
}

# The fields of the answer that are extensions'; the library signs them.
sub extensions {
    my ($in, $who, $send) = @_;
    my (undef, $sreg, $ax) = asked($in);
    my $data = $USER{$who};
    my $values = sub {
        my ($field) = @_;
        return if !defined $field || !exists $data->{$field}
            || ($send && !$send->{$field});
        return ref $data->{$field} ? @{ $data->{$field} } : $data->{$field};
    };
    my %out;
    for my $field (keys %$sreg) {
        my ($value) = $values->($field);
        $out{"sreg.$field"} = $value if defined $value;
    }
    my ($alias) = alias_of($in, $SREG11, $SREG10);
    $out{'ns.sreg'} = $in->{"openid.ns.$alias"}
        if %out && defined $in->{"openid.ns.$alias"};
    if (@$ax) {
        $out{'ns.ax'} = $AX;
        $out{'ax.mode'} = 'fetch_response';
    }
    for my $a (@$ax) {
        my @have = $values->($a->{field});
        $out{"ax.type.$a->{alias}"} = $a->{type};
        if (!defined $a->{count} && @have) {
            $out{"ax.value.$a->{alias}"} = $have[0];
            next;
        }
        my $max = $a->{count} // 1;
        splice @have, $max if $max =~ /\A\d{1,4}\z/ && @have > $max;
        $out{"ax.count.$a->{alias}"} = scalar @have;
        $out{"ax.value.$a->{alias}." . ($_ + 1)} = $have[$_] for 0 .. $#have;
    }
    return \%out;
}

# --- pages for people -------------------------------------------------------

sub sign_in_page {
    my ($in, $wanted, $realm) = @_;
    my $note = $wanted ? '<p>The site asks about <b>' . esc($wanted)
        . '</b>, so sign in as that user.</p>' : '';
    my $buttons = join '', map {
        my $main = !$wanted || $wanted eq $_ ? '' : ' class=plain';
        "<p><button$main name=user value='" . esc($_) . "'>Sign in as "
            . esc($_) . '</button></p>' } sort keys %USER;
    page('200 OK', 'Sign in', '<p>To continue to <b class=realm>' . esc($realm)
        . "</b></p>$note"
        . form(serialize($in),
               "<input type=hidden name=do value=login>$buttons")
        . form(serialize($in), '<p><button class=plain name=do value=cancel>'
               . 'Cancel</button></p>'));
}

sub consent_page {
    my ($in, $who, $realm) = @_;
    my ($asked) = asked($in);
    my $rows = join '', map {
        my ($name, $label) = @$_;
        my $value = $USER{$who}{$name};
        my @all = ref $value ? @$value : $value;
        my $need = $asked->{$name} ? ' <small>(required)</small>' : '';
        "<li><label><input type=checkbox name=send value=$name checked> "
            . "$label$need: <b>" . join(', ', map { esc($_) } @all)
            . '</b></label></li>'
    } grep { exists $asked->{ $_->[0] } && exists $USER{$who}{ $_->[0] } }
      @FIELDS;
    $rows = $rows ? "<p>It also asks for:</p><ul class=fields>$rows</ul>"
                  : '<p>It asks for nothing else.</p>';
    my $policy = $in->{'openid.sreg.policy_url'} // '';
    $rows .= "<p><a href='" . esc($policy) . "' rel=noopener target=_blank>"
        . 'What the site does with them</a></p>'
        if $policy =~ m{\Ahttps?://}i;
    my $id = ($in->{'openid.claimed_id'} // $SELECT) eq $SELECT
        ? "$BASE/user/$who" : $in->{'openid.claimed_id'};
    page('200 OK', 'Approve this site?', '<p><b class=realm>' . esc($realm)
        . '</b> asks who you are.</p>' . form(serialize($in), <<"HTML"));
<p>It will learn that you are <code>@{[ esc($id) ]}</code>.</p>
$rows
<p><label><input type=checkbox name=trust value=1> Do not ask again for this
site</label></p>
<p class=row><button name=do value=approve>Approve</button>
<button class=plain name=do value=cancel>Cancel</button></p>
<p><button class=link name=do value=switch>You are not @{[ esc($who) ]}?
</button></p>
HTML
}

# What the buttons of both pages do.
sub decide {
    my $raw = body();
    my $form = defined $raw ? parse($raw) : undef;
    return bad('The form could not be read.') unless $form;
    my $request = $form->{request} // '';
    return page('403 Forbidden', 'Please start again',
            '<p>This form is not from your browser, or cookies are off.</p>')
        unless OpenID::util::timing_indep_eq($form->{token} // '',
                                             csrf_token($request));
    my $do = $form->{do} // '';
    my ($who, $trusted) = signed_in();
    if ($do eq 'login' && $USER{ $form->{user} // '' }) {
        sign_in($form->{user}, {});
    }
    elsif ($do =~ /\A(?:switch|signout)\z/) {
        cookie('op_login', '', 0);
    }
    elsif ($do =~ /\A(?:approve|cancel)\z/) {
        my $in = parse($request) // {};
        return bad('The request is lost.') unless $in->{'openid.return_to'};
        return checkid($in, cancel => 1) if $do eq 'cancel';
        if ($form->{trust} && $who) {
            my $realm = $in->{'openid.realm'} // $in->{'openid.trust_root'}
                // $in->{'openid.return_to'} =~ s/\?.*//sr;
            $trusted->{ realm_id($realm) } = 1;
            sign_in($who, $trusted);
        }
        my %send = map { $_ => 1 } split /\0/, $form->{send} // '';
        return checkid($in, approve => 1, send => \%send);
    }
    return redirect($request eq '' ? "$BASE/" : "$ENDPOINT?$request");
}

sub bad {
    my ($why) = @_;
    log_line('checkid', {}, "refused: $why");
    page('400 Bad Request', 'A site sent a wrong request',
         '<p>' . esc($why) . ' Nothing was sent to it.</p>');
}

sub form {
    my ($request, $content) = @_;
    return sprintf '<form method=post action="%s">'
        . '<input type=hidden name=request value="%s">'
        . '<input type=hidden name=token value="%s">%s</form>',
        esc("$BASE/decide"), esc($request), csrf_token($request), $content;
}

sub page {
    my ($status, $title, $content, $xrds, $head, $submit) = @_;
    my $nonce = $submit ? random_hex(16) : '';
    my $script = $submit ? "<script nonce=$nonce>"
        . "document.getElementById('answer').submit()</script>" : '';
    my $allow = $submit ? "; script-src 'nonce-$nonce'" : '';
    my $t = esc($title);
    respond($status, [
        'Content-Type: text/html; charset=utf-8', 'Vary: Accept',
        'Cache-Control: no-store', 'X-Frame-Options: DENY',
        'X-Content-Type-Options: nosniff', 'Referrer-Policy: origin',
        "Content-Security-Policy: default-src 'none'; style-src "
            . "'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'$allow",
        $xrds ? "X-XRDS-Location: $xrds" : () ],
        <<"HTML");
<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>$t</title>
@{[ $head // '' ]}<style>
:root { color-scheme: light dark; --ink: #1d2433; --paper: #fff;
  --back: #eef1f6; --main: #b3470f; --line: #c9d0dc }
\@media (prefers-color-scheme: dark) { :root { --ink: #e6e9f0;
  --paper: #1c212c; --back: #12151c; --main: #ffa66b; --line: #3b4356 } }
body { margin: 0; padding: 1rem; background: var(--back); color: var(--ink);
  font: 1.05rem/1.5 system-ui, sans-serif }
main { max-width: 30rem; margin: 6vh auto; padding: 1.5rem;
  background: var(--paper); border: 1px solid var(--line);
  border-top: .3rem solid var(--main); border-radius: .6rem }
h1 { margin: 0 0 .8rem; font-size: 1.4rem }
code, .realm { overflow-wrap: anywhere }
a { color: var(--main) }
.fields { list-style: none; padding: 0 }
.fields li { margin: .4rem 0 }
button { font: inherit; width: 100%; padding: .65rem 1rem; cursor: pointer;
  border: 1px solid var(--main); border-radius: .4rem;
  background: var(--main); color: var(--paper) }
button.plain { background: none; color: var(--main) }
button.link { background: none; border: 0; padding: .2rem;
  color: var(--main); text-decoration: underline }
:focus-visible { outline: 3px solid var(--main); outline-offset: 2px }
.row { display: flex; gap: .8rem }
small { opacity: .75 }
</style>
</head>
<body>
<main>
<h1>$t</h1>
$content
<p><small>Demo provider: no passwords, for one machine only.</small></p>
</main>
$script</body>
</html>
HTML
}

# --- cookies ----------------------------------------------------------------

# (user, { realm id => 1 }) from the signed cookie, or nothing.
sub signed_in {
    my ($payload, $mac) = ($COOKIE{op_login} // '') =~ /\A(.+)~([0-9a-f]+)\z/
        or return (undef, {});
    return (undef, {}) unless OpenID::util::timing_indep_eq(
        $mac, hmac_sha256_hex("login\0$payload", $SECRET));
    my ($user, $time, $realms) = split /!/, $payload;
    return (undef, {}) unless $USER{$user} && $time + 12 * 3600 > time;
    return ($user, { map { $_ => 1 } split /\./, $realms // '' });
}

sub sign_in {
    my ($user, $trusted) = @_;
    my $payload = join '!', $user, time, join '.', sort keys %$trusted;
    cookie('op_login',
           "$payload~" . hmac_sha256_hex("login\0$payload", $SECRET));
}

sub realm_id { return substr sha256_hex($_[0]), 0, 16 }

# A form is bound to its browser (cookie op_csrf) and to its request.
sub csrf_token {
    my ($request) = @_;
    unless (($COOKIE{op_csrf} // '') =~ /\A[0-9a-f]{32}\z/) {
        $COOKIE{op_csrf} = random_hex(16);
        cookie('op_csrf', $COOKIE{op_csrf});
    }
    return hmac_sha256_hex("csrf\0$COOKIE{op_csrf}\0$request", $SECRET);
}

sub cookie {
    my ($name, $value, $age) = @_;
    my ($path) = $BASE =~ m{\A\w+://[^/]+(/.*)?\z};
    push @cookies_out, "Set-Cookie: $name=$value; Path=" . ($path // '/')
        . '; HttpOnly; SameSite=Lax'
        . (defined $age ? "; Max-Age=$age" : '')
        . ($BASE =~ /\Ahttps/ ? '; Secure' : '');
}

# --- small things -----------------------------------------------------------

sub server {
    my ($in) = @_;
    local $SIG{__WARN__} = sub { };
    my $life = setting('lifetime') // '';
    $Demo::Server::policy = setting('assoc') // 'all';
    $Demo::Server::claim_nonce = \&claim_nonce;
    return Demo::Server->new(
        args                => $in,
        endpoint_url        => $ENDPOINT,
        setup_url           => $ENDPOINT,
        server_secret       => sub { hmac_sha256("assoc\0$_[0]", $SECRET) },
        secret_gen_interval => 1,       # so that expires_in is exact
        secret_expire_age   => $life =~ /\A\d{1,8}\z/ ? $life : 1_209_600,
    );
}

sub claim_nonce {
    my ($nonce) = @_;
    return 1 unless $STATE;
    mkdir "$STATE/nonces", 0700;
    return sysopen(my $fh, "$STATE/nonces/" . sha256_hex($nonce),
                   O_WRONLY | O_CREAT | O_EXCL, 0600);
}

sub base_url {
    my $base = $ENV{OP_BASE};
    unless (defined $base && $base ne '') {
        $base = (($ENV{HTTPS} // '') eq 'on' ? 'https' : 'http') . '://'
            . ($ENV{SERVER_NAME} // 'localhost')
            . ':' . ($ENV{SERVER_PORT} // 80) . ($ENV{SCRIPT_NAME} // '');
    }
    return $base =~ s{/+\z}{}r;
}

sub server_secret {
    return $ENV{OP_SECRET} if length($ENV{OP_SECRET} // '');
    die "op.cgi: neither OP_SECRET nor OP_STATE is set\n" unless $STATE;
    my $file = "$STATE/secret";
    unless (-s $file) {
        my $own = "$file.$$";
        sysopen(my $out, $own, O_WRONLY | O_CREAT | O_EXCL, 0600)
            or die "op.cgi: $own: $!\n";
        print $out random_hex(32);
        close $out or die "op.cgi: $own: $!\n";
        link $own, $file;       # one of many starters wins
        unlink $own;
    }
    open my $in, '<', $file or die "op.cgi: $file: $!\n";
    return scalar <$in>;
}

sub setting {
    my ($name) = @_;
    if ($STATE && open my $fh, '<', "$STATE/$name") {
        my $line = <$fh> // '';
        $line =~ s/\s+\z//;
        return $line if $line ne '';
    }
    my $value = $ENV{ 'OP_' . uc $name } // '';
    return $value eq '' ? undef : $value;
}

sub log_line {
    my ($mode, $in, $result) = @_;
    return unless $STATE && open my $fh, '>>', "$STATE/op.log";
    my $line = join ' ', OpenID::util::time_to_w3c(), $mode || '-',
        'assoc=' . ($in->{'openid.assoc_type'} // '-'),
        'handle=' . (length($in->{'openid.assoc_handle'} // '') ? 'yes' : 'no'),
        'identity=' . ($in->{'openid.identity'} // '-'), "-> $result";
    $line =~ s/[^ -~]/?/g;
    syswrite $fh, "$line\n";
}

sub random_hex {
    my ($bytes) = @_;
    open my $fh, '<:raw', '/dev/urandom' or die "/dev/urandom: $!";
    read($fh, my $buf, $bytes) == $bytes or die "/dev/urandom: $!";
    return unpack 'H*', $buf;
}

# The body of a POST; undef where it is longer than a message may be.
sub body {
    binmode STDIN;
    my ($text, $buf) = ('');
    return '' unless $ENV{CONTENT_LENGTH} || $ENV{HTTP_TRANSFER_ENCODING};
    while (read STDIN, $buf, 16_384) {
        $text .= $buf;
        return undef if length $text > $BODY_MAX;
    }
    return $text;
}

# A query as a hash; undef where an openid.* parameter is repeated. Check
# boxes may repeat: their values are joined by NUL.
sub parse {
    my ($text) = @_;
    my %out;
    for my $pair (split /&/, $text) {
        next if $pair eq '';
        my ($k, $v) = map { tr/+/ /r =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }
                      ($pair =~ /\A([^=]*)=?(.*)\z/s);
        return undef if exists $out{$k} && $k =~ /\Aopenid\./;
        $out{$k} = exists $out{$k} ? "$out{$k}\0$v" : $v;
    }
    return \%out;
}

sub serialize {
    my ($in) = @_;
    return join '&', map { uri_escape($_) . '=' . uri_escape($in->{$_}) }
                     sort grep { /\Aopenid\./ } keys %$in;
}

sub esc {
    my ($text) = @_;
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
                  '"' => '&quot;', "'" => '&#39;');
    return ($text // '') =~ s/([&<>"'])/$entity{$1}/gr;
}

sub redirect {
    my ($url) = @_;
    $url =~ s/([^!-~])/sprintf '%%%02X', ord $1/ge;
    respond('303 See Other', [ "Location: $url", 'Cache-Control: no-store',
                               'Content-Type: text/plain' ], "See $url\n");
}

sub respond {
    my ($status, $headers, $body) = @_;
    binmode STDOUT;
    print join "\r\n", "Status: $status", @$headers, @cookies_out, '', $body;
}
