#!/usr/bin/perl
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

# G. Discovery documents: what is published at an identifier is a stranger's
# text. A login does not begin with what is hostile in it, nothing that it
# points to is touched, and the same document without that begins one.
#
# Any MPM will do.

use v5.14;
use strict;
use warnings;
use Encode ();
use OpenID2RP::Attack;
use OpenID2RP::Evil;
use OpenID2RP::Test;
use Test::More;
use Time::HiRes qw(time);

use constant SOON => 10;        # seconds
use constant MORE => 48 << 10;  # kilobytes

my $APP = url('/security/discovery');
my $SIGNON = 'http://specs.openid.net/auth/2.0/signon';
my $NONE = [400, 'not-openid'];

my $OP = OpenID2RP::Evil->new;
my $HERE = $OP->endpoint;
my $CANARY = canary();
my $FILE = Apache::Test::basic_config()->{vars}{t_logs} . '/discovery.txt';

op_reset();
the_canary_sings();
external_entity();
parameter_entities_and_external_dtd();
internal_entity();
what_points_elsewhere();
billion_laughs();
malformed_or_truncated();
nested_children();
wrong_type_or_namespace();
several_xrds_and_priorities();
many_endpoints_that_are_away();
document_with_another_status();
html_positions();
html_entity_and_rel_tricks();
hostile_endpoint_uri();
unlink $FILE;
done_testing;

# ---------------------------------------------------------------------------
# Documents

# An XRDS document with something before its root, and this inside its XRD.
sub xrds {
    my ($inside, $before, $root) = @_;
    return { headers => ['Content-Type: application/xrds+xml'],
             body => ($before // '') . '<xrds:XRDS xmlns:xrds="xri://$xrds" '
                 . 'xmlns="xri://$xrd*($v*2.0)"' . ($root // '') . '><XRD>'
                 . $inside . '</XRD></xrds:XRDS>' };
}

sub service {
    my ($uri, $attributes, $more) = @_;
    return '<Service' . ($attributes // '') . "><Type>$SIGNON</Type>"
        . ($more // '') . "<URI>$uri</URI></Service>";
}

sub html {
    my ($head, $body) = @_;
    return { headers => ['Content-Type: text/html'],
             body => "<!DOCTYPE html><html><head>$head</head><body>"
                 . ($body // '<p>Me') . '</body></html>' };
}

sub bare { { headers => ['Content-Type: text/html'], body => $_[0] } }

sub link_to { sprintf '<link rel="openid2.provider" href="%s">', $_[0] }

# ---------------------------------------------------------------------------
# What becomes of them

my $pages = 0;

# An identifier at which this is published.
sub page_with {
    my ($answer) = @_;
    my $path = '/document/' . ++$pages;
    $OP->serves($path, $answer);
    return $OP->url . $path;
}

# No login begins; nobody is asked for anything but documents.
sub stays_out {
    my ($name, $answer, $refusal) = @_;
    my ($status, $code) = @{ $refusal // $NONE };
    my $browser = browser();
    my $id = page_with($answer);
    $OP->calls;
    refusals();
    my $page = begin_login($browser, $APP, $id);
    my %calls = map { $_ => 1 } $OP->calls;
    is_deeply { status => $page->status, refused => [refusals()],
                sentence => ($page->alert // '') =~ /\w.*[.]\z/s ? 1 : 0,
                to => scalar $page->header('Location'),
                sessions => [grep { /\A(?:__Host-)?openid2rp=[^;]/ }
                             $page->headers('Set-Cookie')],
                fetched => [sort keys %calls], canary => [web_log($CANARY)] },
        { status => $status, refused => [$code], sentence => 1, to => undef,
          sessions => [], canary => [],
          fetched => ['GET ' . substr $id, length $OP->url] },
        "$name: no login begins, and nothing else is fetched"
        or diag $page->alert // $page->body;
    outsider($browser, $APP, $name);
}

# The control: the login begins, at this endpoint.
sub goes_to {
    my ($name, $answer, $endpoint) = @_;
    my $page = begin_login(browser(), $APP, page_with($answer));
    my $to = $page->header('Location') // $page->alert // $page->status;
    $endpoint //= $HERE;
    is $to =~ s/[?&]openid[.].*//sr, $endpoint, "$name: the login begins";
    is_deeply [web_log($CANARY)], [], "$name: the canary is untouched";
}

# Both, of documents that differ in one thing only.
sub differ {
    my ($name, $evil, $good, $endpoint) = @_;
    stays_out($name, $evil);
    goes_to("$name: control", $good, $endpoint);
}

# Else its silence would mean nothing.
sub the_canary_sings {
    begin_login(browser(), $APP, page_with({
        headers => ["X-XRDS-Location: $CANARY/seen"], body => 'x' }));
    is_deeply [web_log($CANARY)], ['GET /seen HTTP/1.1 '],
        'the canary is seen when it is asked';
}

# ---------------------------------------------------------------------------

sub external_entity {
    open my $out, '>', $FILE or die "$FILE: $!";
    print $out $HERE;
    close $out;
    my %entity = (
        'SYSTEM, a server' => qq{SYSTEM "$CANARY/x"},
        'PUBLIC, a server' => qq{PUBLIC "-//x//EN" "$CANARY/x"},
        'SYSTEM, a file' => qq{SYSTEM "file://$FILE"},
        'PUBLIC, a file' => qq{PUBLIC "-//x//EN" "file://$FILE"},
        'SYSTEM, a path' => qq{SYSTEM "$FILE"},
    );
    for my $kind (sort keys %entity) {
        my $name = "external entity ($kind)";
        my $doctype = "<!DOCTYPE xrds:XRDS [<!ENTITY x $entity{$kind}>]>";
        stays_out("$name as the URI", xrds(service('&x;'), $doctype));
        stays_out("$name beside the URI",
                  xrds(service($HERE) . '<X>&x;</X>', $doctype));
        stays_out("$name that is not used", xrds(service($HERE), $doctype));
    }
    goes_to('external entity: control', xrds(service($HERE)));
}

sub parameter_entities_and_external_dtd {
    my %doctype = (
        'parameter entity' =>
            qq{[<!ENTITY % p SYSTEM "$CANARY/p">%p;]},
        'parameter entity in an entity' =>
            qq{[<!ENTITY % p "<!ENTITY x SYSTEM '$CANARY/p'>">%p;]},
        'external DTD, SYSTEM' => qq{SYSTEM "$CANARY/dtd"},
        'external DTD, PUBLIC' => qq{PUBLIC "-//x//EN" "$CANARY/dtd"},
        'external DTD, a file' => qq{SYSTEM "file://$FILE"},
        'external DTD with a subset' => qq{SYSTEM "$CANARY/dtd" []},
        'notation' => qq{[<!NOTATION n SYSTEM "$CANARY/n">]},
    );
    for my $name (sort keys %doctype) {
        differ($name, xrds(service($HERE), "<!DOCTYPE xrds:XRDS "
                           . "$doctype{$name}>"),
               xrds(service($HERE), "<!-- $name -->"));
    }
}

sub internal_entity {
    stays_out('internal entity as the URI', xrds(service('&x;'),
        qq{<!DOCTYPE xrds:XRDS [<!ENTITY x "$HERE">]>}));
    stays_out('internal entity as the service', xrds('&x;',
        '<!DOCTYPE xrds:XRDS [<!ENTITY x "' . service($HERE) . '">]>'));
    stays_out('default attribute of a DTD', xrds(service($HERE),
        '<!DOCTYPE xrds:XRDS [<!ATTLIST Service priority CDATA "1">]>'));
    stays_out('a DOCTYPE without anything',
              xrds(service($HERE), '<!DOCTYPE xrds:XRDS>'));
    stays_out('a DOCTYPE behind comments', xrds(service($HERE),
        "<?xml version='1.0'?>\n<!-- x --><?pi?>\n<!DOCTYPE x []>"));
    for my $encoding ('UTF-16', 'UTF-16LE', 'UTF-16BE') {
        my $text = "<?xml version='1.0' encoding='UTF-16'?>%s";
        my ($evil, $good) = map {
            my $answer = xrds(service($HERE), sprintf $text, $_);
            $answer->{body} = ($encoding eq 'UTF-16' ? ''
                : Encode::encode($encoding, "\x{FEFF}"))
                . Encode::encode($encoding, $answer->{body});
            $answer
        } '<!DOCTYPE x []>', '';
        differ("a DOCTYPE in $encoding", $evil, $good);
    }
    goes_to('internal entity: control: one that XML has by itself',
            xrds(service("$HERE?a=b&amp;c=d")), "$HERE?a=b&c=d");
}

# What is no entity, and is not followed either: the document is good.
sub what_points_elsewhere {
    goes_to('a style sheet', xrds(service($HERE),
        qq{<?xml-stylesheet type="text/xsl" href="$CANARY/s"?>}));
    goes_to('a schema', xrds(service($HERE), '',
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        . qq{ xsi:schemaLocation="xri://\$xrds $CANARY/s"}));
    goes_to('an inclusion', xrds(service($HERE)
        . '<i:include xmlns:i="http://www.w3.org/2001/XInclude"'
        . qq{ href="$CANARY/i" parse="text"/>}));
    stays_out('an inclusion as the service',
        xrds('<i:include xmlns:i="http://www.w3.org/2001/XInclude"'
        . qq{ href="file://$FILE" parse="text"/>}));
    goes_to('a base', xrds(service($HERE), '', qq{ xml:base="$CANARY/"}));
    goes_to('a namespace', xrds(service($HERE), '',
        qq{ xmlns:x="$CANARY/ns" x:a="b"}));
    goes_to('pictures and scripts of a page', html(link_to($HERE)
        . qq{<script src="$CANARY/a"></script><base href="$CANARY/">}
        . qq{<link rel="stylesheet" href="$CANARY/b">},
        qq{<img src="$CANARY/c"><iframe src="$CANARY/d"></iframe>}));
}

# The most memory that any process of httpd has ever had, in kilobytes.
sub peak {
    my $most = 0;
    my ($parent) = do {
        open my $in, '<', Apache::Test::basic_config()->{vars}{t_logs}
            . '/httpd.pid' or return 0;
        <$in> =~ /(\d+)/;
    };
    for my $status (glob '/proc/[0-9]*/status') {
        open my $in, '<', $status or next;
        my $text = join '', <$in>;
        next unless $text =~ /^PPid:\s+$parent$/m;
        $most = $1 if $text =~ /^VmHWM:\s+(\d+)/m && $1 > $most;
    }
    return $most;
}

sub billion_laughs {
    my $laughs = '<!ENTITY a0 "ha">' . join '', map {
        "<!ENTITY a$_ \"" . ('&a' . ($_ - 1) . ';') x 10 . '">' } 1 .. 10;
    my %document = (
        'billion laughs' => xrds(service('&a10;'),
            "<!DOCTYPE xrds:XRDS [$laughs]>"),
        'billion laughs in an attribute' => xrds(service($HERE)
            . '<X a="&a10;"/>', "<!DOCTYPE xrds:XRDS [$laughs]>"),
        'quadratic blow-up' => xrds(service('&b;' x 20_000),
            '<!DOCTYPE xrds:XRDS [<!ENTITY b "' . 'b' x 60_000 . '">]>'),
        'parameter entities that grow' => xrds(service($HERE),
            '<!DOCTYPE xrds:XRDS [<!ENTITY % p0 "ha">' . join('', map {
                "<!ENTITY % p$_ \"" . ('&#37;p' . ($_ - 1) . ';') x 10 . '">'
            } 1 .. 9) . '%p9;]>'),
        'attributes without end' => xrds(service($HERE, join '', map {
            " a$_='b'" } 1 .. 15_000)),
        'elements without end' => xrds(service($HERE) . '<X/>' x 50_000),
        'depth without end' => xrds('<X>' x 20_000 . '</X>' x 20_000
                                    . service($HERE)),
        'namespaces without end' => xrds(join '', map {
            "<n$_:X xmlns:n$_='a:$_'>" } 1 .. 7_000),
    );
    goes_to('billion laughs: control', xrds(service($HERE)));
    for my $name (sort keys %document) {
        my ($before, $begin) = (peak(), time);
        stays_out($name, $document{$name});
        cmp_ok time - $begin, '<', SOON, "$name: it takes no time";
        cmp_ok peak() - $before, '<', MORE, "$name: nor memory";
    }
    ok peak() > 0, 'billion laughs: memory can be seen';
}

sub malformed_or_truncated {
    my $good = xrds(service($HERE))->{body};
    my %text = (
        'empty' => '',
        'white space' => " \n",
        'text' => 'hello',
        'cut off in the last tag' => substr($good, 0, -1),
        'without its last tag' => $good =~ s{</xrds:XRDS>}{}r,
        'cut off behind the service' => $good =~ s{</Service>.*}{</Service>}r,
        'cut off in the URI' => $good =~ s{</URI>.*}{}r,
        'tags crossed' => $good =~ s{</URI></Service>}{</Service></URI>}r,
        'two roots' => $good . $good,
        'text behind the root' => "${good}x",
        'text before the root' => "x$good",
        'an unknown entity' => $good =~ s{<URI>}{<X>&nope;</X><URI>}r,
        'a bare ampersand' => $good =~ s{<URI>}{<X>a & b</X><URI>}r,
        'a control character' => $good =~ s{<URI>}{<X>\x01</X><URI>}r,
        'a forbidden reference' => $good =~ s{<URI>}{<X>&#0;</X><URI>}r,
        'a NUL' => $good =~ s{<URI>}{<X>\0</X><URI>}r,
        'not UTF-8' => $good =~ s{<URI>}{<X>\xC3\x28</X><URI>}r,
        'an attribute twice' => $good =~ s{<Service>}{<Service a="1" a="2">}r,
        'an unquoted attribute' => $good =~ s{<Service>}{<Service a=1>}r,
        'a prefix of nothing' => $good =~ s{<URI>}{<p:X/><URI>}r,
        'an open comment' => $good =~ s{</XRD>}{<!-- </XRD>}r,
        'an open CDATA' => $good =~ s{</XRD>}{<![CDATA[</XRD>}r,
        'an unknown encoding' => "<?xml version='1.0' encoding='x-evil'?>"
            . $good,
        'a page' => '<html><head>' . link_to($HERE) . '</head></html>',
    );
    # Where a prefix is bound to nothing, libxml2 only warns: the element has
    # no namespace then, and means nothing. The rest of the document is good.
    goes_to('a prefix of nothing', { headers => xrds('')->{headers},
        body => delete $text{'a prefix of nothing'} });
    for my $name (sort keys %text) {
        my $answer = { headers => xrds('')->{headers}, body => $text{$name} };
        stays_out("malformed: $name", $answer);
    }
    goes_to('malformed: control', { headers => xrds('')->{headers},
                                    body => $good });
    # nothing that was read before the mistake is used, nor what follows it
    stays_out('malformed: a good service before the mistake',
              xrds(service($HERE) . '<X>'));
    stays_out('malformed: a broken service before the good one',
              xrds('<Service><Type></Service>' . service($HERE)));
    stays_out('truncated by the server', {
        raw => "HTTP/1.1 200 OK\r\nContent-Type: application/xrds+xml\r\n"
            . 'Content-Length: ' . (10 + length $good) . "\r\n\r\n$good" },
        [502, 'fetch-failed']);
}

sub nested_children {
    my %inside = (
        'a URI in the Type' => "<Service><Type><URI>$HERE</URI></Type>"
            . '</Service>',
        'the Type in the URI' => "<Service><URI><Type>$SIGNON</Type></URI>"
            . '</Service>',
        'a URI in the URI' => "<Service><Type>$SIGNON</Type><URI><URI>$HERE"
            . '</URI></URI></Service>',
        'the text of a Type in an element' => '<Service><Type><b>'
            . "$SIGNON</b></Type><URI>$HERE</URI></Service>",
        'a Service in a Service' => '<Service>' . service($HERE)
            . '</Service>',
        'a Service in another element' => '<X>' . service($HERE) . '</X>',
        'an XRD in the XRD' => '<XRD>' . service($HERE) . '</XRD>',
        'URI and Type outside' => "<Type>$SIGNON</Type><URI>$HERE</URI>",
        'a Service without anything' => '<Service/>',
        'empty elements' => '<Service><Type/><URI/></Service>',
        'no URI' => "<Service><Type>$SIGNON</Type></Service>",
        'no Type' => "<Service><URI>$HERE</URI></Service>",
        'Type and URI of two services' => "<Service><Type>$SIGNON</Type>"
            . "</Service><Service><URI>$HERE</URI></Service>",
    );
    for my $name (sort keys %inside) {
        stays_out("nested children: $name", xrds($inside{$name}));
    }
    goes_to('nested children: control', xrds(service($HERE)));
    goes_to('nested children: in a comment and CDATA', xrds(
        "<Service><Type><![CDATA[$SIGNON]]></Type><URI><!-- http://e/ -->"
        . "$HERE</URI></Service>"));
    my ($head, $tail) = $HERE =~ /\A(.*)(end.*)\z/;
    stays_out('nested children: a URI with an element in it',
        xrds("<Service><Type>$SIGNON</Type><URI><b>$head</b>$tail</URI>"
             . '</Service>'));
}

sub wrong_type_or_namespace {
    my @types = (
        'http://specs.openid.net/auth/2.0/return_to',
        'http://specs.openid.net/auth/2.0/signon/',
        'http://specs.openid.net/auth/2.0/Signon',
        'http://specs.openid.net/auth/2.0/signonx',
        'http://specs.openid.net/auth/2.0/', 'http://specs.openid.net/auth/2.0',
        'http://specs.openid.net/auth/2.1/signon',
        'https://specs.openid.net/auth/2.0/signon',
        'HTTP://specs.openid.net/auth/2.0/signon',
        'http://specs.openid.net:80/auth/2.0/signon',
        'http://specs.openid.net.evil.example/auth/2.0/signon',
        'http://specs.openid.net/auth/2.0/sign%6Fn',
        'http://specs.openid.net/auth/2.0/signon http://x/',
        'http://openid.net/signon/1.2', 'http://openid.net/signon/1.',
        'http://openid.net/sreg/1.0', 'signon', '2.0', '*',
    );
    for my $type (@types) {
        stays_out("wrong Type $type", xrds(
            service($HERE) =~ s{\Q$SIGNON\E}{$type}r));
    }
    goes_to('wrong Type: control', xrds(service($HERE)));
    goes_to('wrong Type: control: another Type besides', xrds(
        service($HERE, '', "<Type>$types[0]</Type>")));

    my $good = xrds(service($HERE))->{body};
    my %text = (
        'none for XRD' => $good =~ s/ xmlns="[^"]*"//r,
        'none for XRDS' => $good =~ s/xrds:XRDS/XRDS/gr,
        'none at all' => $good =~ s/ xmlns="[^"]*"//r =~ s/xrds:XRDS/XRDS/gr,
        'a later version' => $good =~ s/2[.]0\)"/2.1)"/r,
        'another case' => $good =~ s/="xri(?=:[^"]*2[.]0)/="XRI/r,
        'that of XRDS for XRD' => $good
            =~ s/ xmlns="[^"]*"/ xmlns="xri:\/\/\$xrds"/r,
        'for the Type only' => $good
            =~ s/<Type>/<Type xmlns="http:\/\/evil.example\/">/r,
        'for the URI only' => $good
            =~ s/<URI>/<URI xmlns="http:\/\/evil.example\/">/r,
        'names in lower case' => $good =~ s/(Service|Type|URI)>/lc($1).'>'/ger,
    );
    for my $name (sort keys %text) {
        stays_out("wrong namespace: $name", {
            headers => xrds('')->{headers}, body => $text{$name} });
    }
    goes_to('namespaces: other prefixes are as good', {
        headers => xrds('')->{headers},
        body => '<XRDS xmlns="xri://$xrds"><a:XRD xmlns:a="xri://$xrd*($v*2.0)'
            . "\"><a:Service><a:Type>$SIGNON</a:Type><a:URI>$HERE</a:URI>"
            . '</a:Service></a:XRD></XRDS>' });
}

sub several_xrds_and_priorities {
    my $other = "$HERE/other";
    stays_out('several XRDs: the last has nothing',
              xrds(service($HERE) . '</XRD><XRD>'));
    goes_to('several XRDs: the last counts',
            xrds(service($other) . '</XRD><XRD>' . service($HERE)));
    goes_to('several XRDs: an empty one before it',
            xrds('</XRD><XRD>' . service($HERE)));
    for my $priority ('-1', 'NaN', '1e99', '', ' 1', '+1', '0x1', '1.0',
                      '99999999999999999999999', '-99999999999999999999',
                      '4294967296', 'null', "\x{FF11}") {
        my $text = Encode::encode("UTF-8", $priority);
        goes_to("priorities: \"$text\" is none", xrds(
            service($other, " priority=\"$text\"")
            . service($HERE, ' priority="4000000000"')));
        goes_to("priorities: \"$text\" alone does no harm", xrds(
            service($HERE, " priority=\"$text\"")));
    }
    goes_to("priorities: equal, always the first ($_)", xrds(
        service($HERE, ' priority="5"')
        . join('', map { service("$other$_", ' priority="5"') } 1 .. 20)))
        for 1 .. 3;
    goes_to("priorities: none, always the first ($_)", xrds(
        service($HERE) . service($other) . service("$other/2"))) for 1 .. 3;
}

# However many a document names, a login asks three of them at most.
sub many_endpoints_that_are_away {
    my $away = OpenID2RP::Evil->new;
    $away->answers(associate => { raw => '' });     # it hangs up
    my @uris = map { $away->url . "/$_" } 1 .. 1500;
    my %document = (
        '150 services that hang up' =>
            xrds(join '', map { service($_) } @uris[0 .. 149]),
        '1500 URIs of a service that hang up' =>
            xrds("<Service><Type>$SIGNON</Type>"
                 . join('', map { "<URI>$_</URI>" } @uris) . '</Service>'),
    );
    for my $name (sort keys %document) {
        my $browser = browser();
        my $id = page_with($document{$name});
        refusals();
        refused(begin_login($browser, $APP, $id), 502, 'fetch-failed', $name);
        is_deeply [$away->calls], [('associate') x 3],
            "$name: three are asked";
        outsider($browser, $APP, $name);
    }
    my $name = 'two services that hang up before a good one';
    goes_to($name, xrds(join '', map { service($_) } @uris[0, 1], $HERE));
    is_deeply [$away->calls], [('associate') x 2], "$name: they were asked";
}

sub document_with_another_status {
    for my $status (201, 203, 204, 206, 300, 304, 401, 404, 500) {
        for my $document (xrds(service($HERE)), html(link_to($HERE))) {
            my $type = $document->{headers}[0] =~ /html/ ? 'page' : 'XRDS';
            stays_out("a good $type with status $status",
                      { %$document, status => $status },
                      [502, 'http-error']);
        }
    }
    goes_to('a good XRDS with status 200', xrds(service($HERE)));
    goes_to('a good page with status 200', html(link_to($HERE)));
    # the same for a document that a page names
    $OP->serves('/named', { %{ xrds(service($HERE)) }, status => 404 });
    stays_out_with_named('a named document with status 404');
    $OP->serves('/named', xrds(service($HERE)));
    goes_to('a named document with status 200', {
        headers => ['X-XRDS-Location: ' . $OP->url . '/named'], body => '' });
}

sub stays_out_with_named {
    my ($name) = @_;
    my $browser = browser();
    refusals();
    my $page = begin_login($browser, $APP, page_with({
        headers => ['X-XRDS-Location: ' . $OP->url . '/named'], body => '' }));
    refused($page, @$NONE, $name);
    outsider($browser, $APP, $name);
}

# ---------------------------------------------------------------------------
# Pages (7.3.3)

sub html_positions {
    my $link = link_to($HERE);
    my $meta = qq{<meta http-equiv="X-XRDS-Location" content="$CANARY/x">};
    for ([ link => $link ], [ meta => $meta ]) {
        my ($what, $it) = @$_;
        my %page = (
            'in the body' => html('<title>x</title>', $it),
            'in a comment' => html("<!-- $it -->"),
            'in a comment that stays open' => html("<!-- $it"),
            'in a script' => html("<script>$it</script>"),
            'in a script as text' => html("<script>'$it'</script>"),
            'in a style' => html("<style>$it</style>"),
            'in a title' => html("<title>$it</title>"),
            'in a noscript' => html("<noscript>$it</noscript>"),
            'in a template' => html('', "<template>$it</template>"),
            'in a textarea' => html('', "<textarea>$it</textarea>"),
            'in CDATA' => html("<![CDATA[$it]]>"),
            'in an attribute' => html('<meta name="x" content=\''
                                      . $it . "'>"),
            'escaped' => html($it =~ s/</&lt;/r),
            'behind the head' => bare("<html><head></head>$it<body></body>"),
            'behind the page' => bare('<html><head></head><body></body>'
                                      . "</html>$it"),
            'in a second head' => bare('<html><head></head><body><p><head>'
                                       . "$it</head></body></html>"),
            'in a script that stays open' => html("<script>$it"),
            'in a tag that stays open' => bare('<html><head><title x="'
                                               . "$it</head></html>"),
            'behind an element of the body' => html("<p>x</p>$it"),
            'in a processing instruction' => html("<?xml $it ?>"),
            'in a form' => html('', "<form>$it</form>"),
            'in SVG' => html('', "<svg><desc>$it</desc></svg>"),
        );
        for my $where (sort keys %page) {
            stays_out("HTML: a $what $where", $page{$where});
        }
    }
    goes_to('HTML: a link in the head', html($link));
    goes_to('HTML: a link in a head that nobody closes',
            bare("<html><head>$link<body>x"));
    goes_to('HTML: a link behind a script',
            html("<script>a<b</script><!-- x -->$link"));
    goes_to('HTML: a link in capitals',
            html(qq{<LINK REL="OPENID2.PROVIDER" HREF="$HERE">}));
}

sub html_entity_and_rel_tricks {
    my $other = "$HERE/other";
    for my $rel ('openid2.provider.x', 'xopenid2.provider', 'openid2-provider',
                 'openid2.provider,x', 'openid2_provider', 'openid2 .provider',
                 'openid2.providers', 'openid2.local_id', 'provider', '',
                 'openid.delegate', 'openid3.provider') {
        stays_out("HTML: rel=\"$rel\"",
                  html("<link rel=\"$rel\" href=\"$HERE\">"));
    }
    for my $rel ('openid2.provider', 'x openid2.provider',
                 "a\topenid2.provider\nb",
                 'OpenID2.Provider', 'openid2.provider openid.server',
                 '&#111;penid2.provider') {
        goes_to("HTML: rel=\"$rel\"",
                html("<link rel=\"$rel\" href=\"$HERE\">"));
    }
    stays_out('HTML: rel twice: the first counts', html(
        qq{<link rel="x" rel="openid2.provider" href="$HERE">}));
    goes_to('HTML: href twice: the first counts', html(
        qq{<link rel="openid2.provider" href="$HERE" href="$other">}));
    goes_to('HTML: two links: the first counts',
            html(link_to($HERE) . link_to($other)));
    stays_out('HTML: no href', html('<link rel="openid2.provider">'));
    stays_out('HTML: content in place of href', html(
        qq{<link rel="openid2.provider" content="$HERE">}));
    stays_out('HTML: another element', html(
        qq{<a rel="openid2.provider" href="$HERE">x</a>}));
    stays_out('HTML: name in place of rel', html(
        qq{<link name="openid2.provider" href="$HERE">}));
    stays_out('HTML: rev in place of rel', html(
        qq{<link rev="openid2.provider" href="$HERE">}));
    goes_to('HTML: entities in href', html(link_to("$HERE?a=1&amp;b=&lt;&gt;")),
            "$HERE?a=1&b=%3C%3E");
    goes_to('HTML: white space around href', html(link_to(" \n$HERE\t ")));
    goes_to('HTML: a reference in href',
            html(link_to($HERE =~ s/h/&#104;/r)));
}

sub hostile_endpoint_uri {
    my ($port) = $HERE =~ /:(\d+)/;
    my %uri = (
        'javascript' => 'javascript:alert(1)',
        'javascript with a host' => "javascript://127.0.0.1:$port/%0aalert(1)",
        'data' => 'data:text/html,x',
        'file' => "file://$FILE", 'ftp' => "ftp://127.0.0.1:$port/",
        'gopher' => "gopher://127.0.0.1:$port/", 'mailto' => 'mailto:a@b.c',
        'ldap' => "ldap://127.0.0.1:$port/", 'a view' => "view-source:$HERE",
        'no scheme' => "127.0.0.1:$port/endpoint",
        'relative' => '/endpoint', 'a relative name' => 'endpoint',
        'relative to the scheme' => "//127.0.0.1:$port/endpoint",
        'a query' => '?endpoint', 'empty' => '', 'only a scheme' => 'http://',
        'no host' => 'http:///endpoint', 'one slash' => "http:/127.0.0.1/x",
        'no slash' => 'http:endpoint', 'back slashes' => 'http:\\\\127.0.0.1\\',
        'user' => "http://user\@127.0.0.1:$port/endpoint",
        'user and password' => "http://a:b\@127.0.0.1:$port/endpoint",
        'empty user' => "http://\@127.0.0.1:$port/endpoint",
        'CR LF' => "$HERE&#13;&#10;Set-Cookie: a=b",
        'CR LF in the host' => "http://127.0.0.1&#13;&#10;X: y/",
        'LF' => "$HERE?a&#10;b", 'a tab' => "$HERE?a&#9;b",
        'a space' => "$HERE a", 'DEL' => "$HERE?&#127;",
        'port 0' => 'http://127.0.0.1:0/',
        'a large port' => 'http://127.0.0.1:65536/',
        'half an escape' => "$HERE?%0", 'too long' => "$HERE?" . 'a' x 2100,
        'a field of a message' => "$HERE?openid.mode=id_res",
        'an escaped field' => "$HERE?%6Fpenid.mode=id_res",
        'a wild-card' => 'http://*/', 'a bracket' => 'http://[::1/',
        'an escape in the host' => "http://127.0.0.1%0d%0a:$port/",
    );
    for my $name (sort keys %uri) {
        stays_out("hostile endpoint in XRDS: $name",
                  xrds(service($uri{$name})));
        stays_out("hostile endpoint in HTML: $name",
                  html(link_to($uri{$name})));
    }
    goes_to('hostile endpoints before a good one', xrds(join '', map {
        service($_) } sort(values %uri), $HERE));
    goes_to('hostile endpoint: control: XRDS', xrds(service($HERE)));
    goes_to('hostile endpoint: control: HTML', html(link_to($HERE)));
    # an escaped line end in the path is data, and comes to nobody as a header
    my $begun = begin_login(browser(), $APP, page_with(
        xrds(service("$HERE%0d%0aSet-Cookie:%20a=b"))));
    like $begun->header('Location'), qr/\A\Q$HERE\E%0D%0ASet-Cookie:%20a=b[?]/,
        'hostile endpoint: an escaped line end stays escaped';
    is_deeply [grep { /\Aa=b/ } $begun->headers('Set-Cookie')], [],
        'hostile endpoint: and sets no cookie';
}
