#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# accounts.cgi - an application with accounts of its own, behind
# OpenIDIntercept On, for `make demo` and for the tests: a known OpenID signs
# in, an unknown one makes an account, and who is signed in adds one more.
# docs/accounts.md says why it does each thing. A site with many visitors would
# keep this in a database, and limit how often passwords are guessed.
#
# The module sends people to their provider. What it tells this program:
#   OPENID2RP_NOTICE       a login cannot begin; the form that was sent is here
#   OPENID2RP_IDENTIFIER   somebody has come back, and this is who they are
#   OPENID2RP_ERROR        somebody has come back without that
#
# Environment: ACCOUNTS_STATE, a directory that the program may write; made if
# its parent is there. In it: accounts.db (a DBM), sessions/, secret, lock.

use v5.14;
use strict;
use warnings;
use DB_File;
use Digest::SHA qw(hmac_sha256 hmac_sha256_hex sha256_hex);
use Fcntl qw(:flock O_CREAT O_EXCL O_RDONLY O_RDWR);

# Text is bytes here, in UTF-8, from the environment to the page.
my $STATE = $ENV{ACCOUNTS_STATE} // '';
my $BASE = (($ENV{SCRIPT_NAME} // '') =~ s{\A/+}{/}r) . '/';
my $HTTPS = ($ENV{REQUEST_SCHEME} // '') eq 'https';
my $COOKIE = $HTTPS ? '__Host-accounts' : 'accounts';

use constant {
    BODY_MAX => 16_384, IDLE => 3600, LONGEST => 12 * 3600, PENDING => 600,
};

# The accounts: {"account NAME"} = { made, email, password }, and
# {"openid IDENTIFIER"} = { account, display, added }: whatever happens, an
# OpenID leads to one account.
my $db;
# This browser's session: its id, and what is known of it: {user} who is signed
# in, {pending} an OpenID that has no account yet, {said} what to show next.
my ($id, $session, $came_with_cookie);
my @headers;

my @answer = eval { run() };
unless (@answer) {
    warn "accounts.cgi: $@";
    @headers = ();
    @answer = page('500 Internal Server Error', 'Something broke',
                   '<p>The error log says why.</p>');
}
respond(@answer);

sub run {
    umask 077;
    my $form = ($ENV{REQUEST_METHOD} // '') eq 'POST' ? body() : undef;
    prepare();
    open my $lock, '>>', "$STATE/lock" or die "$STATE/lock: $!\n";
    flock $lock, LOCK_EX or die "$STATE/lock: $!\n";
    $db = accounts();
    find_session();
    my @done = $form && !$came_with_cookie ? send_again($form) : route($form);
    keep_session();
    return @done;       # the lock ends here, before a slow reader
}

# A form of another site comes without the cookie (SameSite). The answer must
# not set one, which would sign out whoever is signed in.
sub send_again {
    my ($form) = @_;
    @headers = ();
    return see_other('?again=' . encode(typed($form)));
}

sub typed { return substr $_[0]{openid_identifier} // '', 0, 2000 }

sub route {
    my ($form) = @_;
    my $path = $ENV{PATH_INFO} // '';
    my $query = fields($ENV{QUERY_STRING} // '');
    return see_other('') if $path eq '';
    return page('404 Not Found', 'Not here', '<p>There is no such page.</p>')
        unless $path =~ m{\A/(?:register)?\z};
    if ($ENV{REQUEST_METHOD} eq 'POST') {
        return could_not_begin($form) if defined $ENV{OPENID2RP_NOTICE};
        return said(error => 'Please enter your OpenID.')
            if defined $form->{openid_identifier};
        return do_form($form);
    }
    return page('405 Method Not Allowed', 'Not so', '')
        unless $ENV{REQUEST_METHOD} =~ /\A(?:GET|HEAD)\z/;
    return came_back($query)
        if defined $ENV{OPENID2RP_ERROR}
            || (defined $ENV{OPENID2RP_IDENTIFIER} && defined $query->{do});
    return could_not_begin($query) if defined $ENV{OPENID2RP_NOTICE};
    $session->{said} //= { kind => 'error', typed => $query->{again},
        text => 'Please send the form from here. If this comes back, the '
            . 'browser keeps no cookies.' } if defined $query->{again};
    return $path eq '/' ? home_page() : register_page();
}

# --- what the module brings -------------------------------------------------

sub could_not_begin {
    my ($sent) = @_;
    return said(error => $ENV{OPENID2RP_NOTICE}, typed($sent));
}

# Every return is answered by a redirect, so that a reload does not bring the
# used answer again.
sub came_back {
    my ($query) = @_;
    return said(error => $ENV{OPENID2RP_ERROR})
        if defined $ENV{OPENID2RP_ERROR};
    my $openid = $ENV{OPENID2RP_IDENTIFIER};
    my $owner = ($db->{"openid $openid"} // {})->{account};

    # The token is that of a form which this very session was shown: nobody has
    # signed in or out here since, and no other site has begun the login.
    unless (is_token($query->{token}, $query->{do})) {
        return see_other('') if defined $owner && $owner eq account();
        return said(error => 'That login did not begin here, or somebody has '
            . 'signed in or out since. Nothing was changed; please try again.');
    }
    return add_openid($openid, $owner) if $query->{do} eq 'add';
    return sign_in($owner, 'OpenID') if defined $owner;

    # Kept here until the name is chosen, and not in the form, where anybody
    # could write another one.
    new_session({ pending => {
        identifier => $openid, display => $ENV{OPENID2RP_DISPLAY} // $openid,
        name => suggested_name(), email => $ENV{OPENID2RP_EMAIL} // '',
        until => time + PENDING } });
    return see_other('register');
}

sub add_openid {
    my ($openid, $owner) = @_;
    return said(error => 'Please sign in first.') if account() eq '';
    if (defined $owner) {
        return said(note => 'This OpenID is yours already.')
            if $owner eq account();
        return said(error => 'This OpenID belongs to another account.');
    }
    link_openid(account(), $openid, $ENV{OPENID2RP_DISPLAY} // $openid);
    save();
    return said(note => 'The OpenID was added to your account.');
}

# --- forms ------------------------------------------------------------------

sub do_form {
    my ($form) = @_;
    my $do = $form->{do} // '';
    return page('403 Forbidden', 'Please start again', '<p>This form is out of '
        . "date, or is not from here. <a href=\"@{[ esc($BASE) ]}\">Begin "
        . 'again</a>.</p>') unless is_token($form->{token}, $do);
    return register($form) if $do eq 'register';
    return password_login($form) if $do eq 'password';
    return remove_openid($form->{identifier} // '') if $do eq 'remove';
    my $was = account();
    new_session({});
    return $was eq '' ? see_other('') : said(note => 'You are signed out.');
}

sub register {
    my ($form) = @_;
    my $new = $session->{pending};
    my ($name, $email, $password)
        = map { $form->{$_} // '' } qw(name email password);
    my $wrong =
        account() ne '' ? 'You are signed in already.'
        : $name !~ /\A[a-z][a-z0-9._-]{1,29}\z/
            ? 'A name has 2 to 30 small letters, digits, dots, hyphens and '
              . 'underscores, and begins with a letter.'
        : $db->{"account $name"} ? 'This name is taken.'
        : length $email > 200 || $email =~ /[\x00-\x20\x7f]/
            ? 'This is not a mail address.'
        : $new && $db->{"openid $new->{identifier}"}
            ? 'This OpenID has an account by now.'
        : !$new && $password eq ''
            ? 'Without an OpenID, an account needs a password.'
        : $password ne '' && (length $password < 8 || length $password > 200
                                || $password =~ /[\x00-\x1f]/)
            ? 'A password has 8 to 200 characters.' : undef;
    return register_page($form, $wrong) if defined $wrong;

    $db->{"account $name"} = { made => time, email => $email,
        $password eq '' ? () : (password => hash_of($password)) };
    link_openid($name, $new->{identifier}, $new->{display}) if $new;
    save();
    return sign_in($name, $new ? 'OpenID' : 'password');
}

sub password_login {
    my ($form) = @_;
    my $account = $db->{ 'account ' . ($form->{name} // '') };
    # As slow for a name that nobody has.
    my $given = crypt($form->{password} // '',
        ($account // {})->{password} // '$6$0000000000000000$') // '';
    return said(error => 'The name or the password is wrong.')
        unless $account && defined $account->{password}
            && same($given, $account->{password});
    return sign_in($form->{name}, 'password');
}

sub remove_openid {
    my ($openid) = @_;
    my ($me, $known) = (account(), $db->{"openid $openid"});
    return said(error => 'Your account has no such OpenID.')
        unless $me ne '' && $known && $known->{account} eq $me;
    return said(error => 'This is your last way in: it stays.')
        if openids_of($me) < 2 && !defined $db->{"account $me"}{password};
    delete $db->{"openid $openid"};
    save();
    return said(note => 'The OpenID was removed from your account.');
}

# --- accounts ---------------------------------------------------------------

sub account { return $session->{user} ? $session->{user}{account} : '' }

sub openids_of {
    my ($name) = @_;
    return grep { $db->{"openid $_"}{account} eq $name }
        map { /\Aopenid (.*)\z/s } sort keys %$db;
}

# Identifiers are compared as they come, byte by byte: another scheme, another
# letter, another fragment is another person.
sub link_openid {
    my ($name, $openid, $display) = @_;
    die "$openid has an account\n" if $db->{"openid $openid"};
    $db->{"openid $openid"} = { account => $name, display => $display,
                                added => time };
    return;
}

sub sign_in {
    my ($name, $how) = @_;
    new_session({ user => { account => $name, made => time, how => $how } });
    return said(note => "You are signed in by $how.");
}

# A name to begin with; the user decides.
sub suggested_name {
    my ($name) = grep { length } map { $ENV{$_} // '' }
        qw(OPENID2RP_SREG_NICKNAME OPENID2RP_AX_NICKNAME OPENID2RP_EMAIL);
    return substr lc($name // '') =~ s/@.*//sr =~ s/[^a-z0-9._-]//gr
        =~ s/\A[^a-z]+//r, 0, 30;
}

sub hash_of {
    my ($password) = @_;
    my $hash = crypt($password, '$6$' . random_id(8)) // '';
    $hash =~ /\A\$6\$.{20}/ or die "crypt() knows no SHA-512 here\n";
    return $hash;
}

# In a DBM, a value is a record's fields, as in a query.
sub accounts {
    my $file = "$STATE/accounts.db";
    return {} unless -e $file;
    tie my %dbm, 'DB_File', $file, O_RDONLY, 0600, $DB_HASH
        or die "$file: $!\n";
    return { map { ($_ => fields($dbm{$_})) } keys %dbm };
}

# Made anew and renamed, so that it is whole, whatever happens.
sub save {
    my $file = "$STATE/accounts.db";
    unlink "$file.new";
    my $dbm = tie my %dbm, 'DB_File', "$file.new", O_RDWR | O_CREAT | O_EXCL,
        0600, $DB_HASH or die "$file.new: $!\n";
    $dbm{$_} = written($db->{$_}) for keys %$db;
    $dbm->sync == 0 or die "$file.new: $!\n";
    undef $dbm;
    untie %dbm;
    rename "$file.new", $file or die "$file: $!\n";
    return;
}

# --- sessions ---------------------------------------------------------------

sub session_file { return "$STATE/sessions/" . sha256_hex($_[0]) }

# A record is made when there is something to remember. Without one, the id is
# that of a visitor, and good for the tokens in forms.
sub find_session {
    my @ids = map { /\A\s*\Q$COOKIE\E=([0-9a-f]{32})\s*\z/ ? $1 : () }
        split /;/, $ENV{HTTP_COOKIE} // '';
    $came_with_cookie = @ids == 1;
    return new_session({}) unless $came_with_cookie;
    $id = $ids[0];
    $session = load(session_file($id)) // {};
    my ($user, $pending) = @$session{qw(user pending)};
    return new_session({})
        if $session->{life} && $session->{life}{until} < time
            || $user && (!$db->{"account $user->{account}"}
                         || $user->{made} + LONGEST < time);
    delete $session->{pending} if $pending && $pending->{until} < time;
    return;
}

# Whenever somebody signs in or out, or comes back from a provider, the session
# gets a new id: no token of the old one is good for it, and who knew the old id
# knows nothing.
sub new_session {
    my ($record) = @_;
    unlink session_file($id) if defined $id;
    ($id, $session) = (random_id(16), $record);
    @headers = "Set-Cookie: $COOKIE=$id; Path=/; HttpOnly; SameSite=Lax"
        . ($HTTPS ? '; Secure' : '');
    return;
}

sub keep_session {
    my $file = session_file($id);
    delete $session->{life};
    return unlink $file unless %$session;
    $session->{life} = { until => time + IDLE };
    store($file, $session);
    # Now and then, those that have ended go away.
    return if ord pack 'H2', $id;
    for my $old (glob "$STATE/sessions/*") {
        unlink $old if (stat $old)[9] + IDLE < time;
    }
    return;
}

# A form belongs to a session, and does one thing.
sub token { return hmac_sha256_hex("$_[0] $id", secret()) }

sub is_token {
    my ($given, $do) = @_;
    return defined $given && defined $do && same($given, token($do));
}

# In a time that does not tell where they differ.
sub same {
    my $key = random_id(16);
    return hmac_sha256($_[0], $key) eq hmac_sha256($_[1], $key);
}

# --- pages ------------------------------------------------------------------

# Show it on the next page; or at once, to a browser that may keep no cookies.
sub said {
    my ($kind, $text, $typed) = @_;
    $session->{said} = { kind => $kind, text => $text, typed => $typed };
    return $came_with_cookie ? see_other('') : home_page();
}

sub see_other {
    my ($where) = @_;
    push @headers, "Location: $BASE$where";
    return page('303 See Other', 'Elsewhere', '');
}

sub home_page {
    my $said = delete $session->{said};
    my $me = account();
    return page('200 OK', 'Accounts', shown($said) . '<p>An OpenID that has an '
        . 'account here signs you in. With another one you make an account.</p>'
        . openid_form('login', 'Sign in', $said) . <<"HTML", 1) if $me eq '';
<h2>With a password</h2>
@{[ form('', 'password', <<"FORM") ]}
<p><label for=name>Name</label>
<input id=name name=name autocomplete=username></p>
<p><label for=password>Password</label>
<input id=password name=password type=password
autocomplete=current-password></p>
<p><button>Sign in with a password</button></p>
FORM
<p class=row><a href="@{[ esc($BASE) ]}register">Make an account without an
OpenID</a> <a href="/">Back to the start</a></p>
HTML
    my $rows = join '', map {
        my $known = $db->{"openid $_"};
        my $button = form('', 'remove', '<input type=hidden name=identifier '
            . 'value="' . esc($_) . '"><button class=plain>Remove</button>');
        '<tr><td>' . esc(for_people($_, $known->{display}))
            . "</td><td>$button</td></tr>\n"
    } openids_of($me);
    return page('200 OK', "Hello, $me", shown($said) . <<"HTML", 1);
<p>You are signed in as <b id=account>@{[ esc($me) ]}</b>, by
@{[ esc($session->{user}{how}) ]}.</p>
<div class=wide><table id=openids>
<caption>The OpenIDs of this account</caption>
$rows</table></div>
<h2>Add an OpenID</h2>
@{[ openid_form('add', 'Add', $said) ]}
@{[ form('', 'leave', '<p class=row><button id=leave class=plain>Sign out'
         . '</button><a href="/">Back to the start</a></p>') ]}
HTML
}

sub register_page {
    my ($typed, $wrong) = @_;
    return see_other('') if account() ne '';
    my $new = $session->{pending};
    my %value = map { ($_ => esc(($typed // $new // {})->{$_} // '')) }
        qw(name email);
    my $who = !$new ? '<p>An account without an OpenID needs a password. You '
        . 'can add OpenIDs later.</p>' : '<p>Your OpenID <code id=new>'
        . esc(for_people($new->{identifier}, $new->{display}))
        . '</code> is new here. If you have an account already, sign in to it '
        . 'in another way, and add this OpenID there.</p>';
    my $optional = $new ? ' (if you want one besides)' : '';
    return page('200 OK', 'A new account', shown($wrong
        && { kind => 'error', text => $wrong }) . $who
        . form('register', 'register', <<"HTML")
<p><label for=name>Name</label>
<input id=name name=name value="$value{name}" autocomplete=username
autofocus></p>
<p><label for=email>Mail address (if you want)</label>
<input id=email name=email value="$value{email}" autocomplete=email></p>
<p><label for=password>Password$optional</label>
<input id=password name=password type=password autocomplete=new-password></p>
<p><button id=register>Make the account</button></p>
HTML
        . form('', 'leave', '<p><button id=leave class=plain>No account'
               . '</button></p>'));
}

# What the user wants is in the form's address: it comes back with the return.
sub openid_form {
    my ($do, $label, $said) = @_;
    my $typed = esc(($said // {})->{typed} // '');
    my $to = esc("$BASE?do=$do&token=" . token($do));
    return <<"HTML";
<form method=post action="$to">
<label for=openid>Your OpenID</label>
<input id=openid name=openid_identifier value="$typed" inputmode=url
autocapitalize=none spellcheck=false autocomplete=url>
<button>$label</button>
</form>
HTML
}

sub form {
    my ($where, $do, $inside) = @_;
    return "<form method=post action=\"@{[ esc($BASE . $where) ]}\">"
        . "<input type=hidden name=do value=$do>"
        . '<input type=hidden name=token value=' . token($do)
        . ">$inside</form>";
}

sub shown {
    my ($said) = @_;
    return '' unless $said;
    my $role = $said->{kind} eq 'error' ? 'alert' : 'status';
    return "<p role=$role class=$said->{kind}>" . esc($said->{text}) . "</p>\n";
}

# People see no fragment; what they typed is shown where it differs.
sub for_people {
    my ($openid, $display) = @_;
    my $plain = $openid =~ s/#.*//sr;
    return $display eq $openid || $display eq $plain ? $plain
        : "$plain ($display)";
}

# The answer: (status, body). A form that leads to a provider needs a policy
# that lets it, for Chromium looks at the redirect as well.
sub page {
    my ($status, $title, $content, $leads_away) = @_;
    my $to = $leads_away ? "'self' http: https:" : "'self'";
    push @headers, "Content-Security-Policy: default-src 'none'; style-src "
        . "'self'; form-action $to; base-uri 'none'; frame-ancestors 'none'";
    return ($status, <<"HTML");
<!DOCTYPE html>
<html lang=en>
<head>
<meta charset=utf-8>
<meta name=viewport content="width=device-width, initial-scale=1">
<title>@{[ esc($title) ]}</title>
<link rel=stylesheet href=/style.css>
</head>
<body>
<main>
<h1>@{[ esc($title) ]}</h1>
$content
</main>
</body>
</html>
HTML
}

# Referrer-Policy: with no-referrer, a form's Origin would be null.
sub respond {
    my ($status, $body) = @_;
    binmode STDOUT;
    print join "\r\n", "Status: $status", @headers,
        'Content-Type: text/html; charset=utf-8', 'Cache-Control: no-store',
        'X-Content-Type-Options: nosniff', 'Referrer-Policy: same-origin',
        '', $body;
    return;
}

# --- small things -----------------------------------------------------------

# What is not UTF-8 becomes visible, as do control characters.
sub esc {
    my ($text) = @_;
    my $copy = $text;
    $text =~ s/[^ -~]/?/g unless utf8::decode($copy);
    my %entity = ('&' => '&amp;', '<' => '&lt;', '>' => '&gt;',
                  '"' => '&quot;', "'" => '&#39;');
    return $text =~ s/([&<>"'])/$entity{$1}/gr =~ s/[\x00-\x1f\x7f]/?/gr;
}

# A form's fields; a name that is there twice counts as not there.
sub fields {
    my ($text) = @_;
    my (%value, %times);
    for (split /&/, $text) {
        my ($name, $value) = map { decode($_) } split(/=/, $_, 2), '';
        next if !defined $name || $times{$name}++ && delete $value{$name};
        $value{$name} = $value if $times{$name} == 1;
    }
    return \%value;
}

sub encode { $_[0] =~ s/([^A-Za-z0-9._~-])/sprintf '%%%02X', ord $1/ger }
sub decode { $_[0] =~ tr/+/ /r =~ s/%([0-9A-Fa-f]{2})/chr hex $1/ger }

sub body {
    my $length = $ENV{CONTENT_LENGTH} // '';
    return {} unless $length =~ /\A\d{1,9}\z/ && $length <= BODY_MAX
        && ($ENV{CONTENT_TYPE} // '')
            =~ m{\Aapplication/x-www-form-urlencoded\s*(?:;|\z)}i;
    my $text = '';
    while (length $text < $length) {
        read STDIN, $text, $length - length $text, length $text or last;
    }
    return fields($text);
}

sub prepare {
    $STATE ne '' or die "ACCOUNTS_STATE is not set\n";
    for my $dir ($STATE, "$STATE/sessions") {
        mkdir $dir or $!{EEXIST} or die "$dir: $!\n";
    }
    return;
}

# The key of the tokens.
sub secret {
    state $secret = (load("$STATE/secret") // store("$STATE/secret",
        { secret => { key => random_id(32) } }, 1))->{secret}{key};
    return $secret;
}

# A file has a line for each record: its name, and its fields as in a query.
sub load {
    my ($file) = @_;
    open my $in, '<:raw', $file
        or return $!{ENOENT} ? undef : die "$file: $!\n";
    my %record;
    while (defined(my $line = <$in>)) {
        my ($name, $fields) = $line =~ /\A(\S+) (\S*)\n\z/
            or die "$file is damaged\n";
        $record{ decode($name) } = fields($fields);
    }
    return \%record;
}

sub written {
    my ($record) = @_;
    return join '&', map { "$_=" . encode($record->{$_}) }
        grep { defined $record->{$_} } sort keys %$record;
}

# In one step: a file is whole, whatever happens; and with $sync it stays.
sub store {
    my ($file, $records, $sync) = @_;
    open my $out, '>:raw', "$file.new" or die "$file.new: $!\n";
    for my $name (sort keys %$records) {
        print $out encode($name), ' ', written($records->{$name}), "\n";
    }
    (!$sync || $out->flush && $out->sync) && close $out
        or die "$file.new: $!\n";
    rename "$file.new", $file or die "$file: $!\n";
    return $records;
}

sub random_id {
    my ($bytes) = @_;
    open my $in, '<:raw', '/dev/urandom' or die "/dev/urandom: $!\n";
    (read($in, my $random, $bytes) // 0) == $bytes
        or die "/dev/urandom: it ends\n";
    return unpack 'H*', $random;
}
