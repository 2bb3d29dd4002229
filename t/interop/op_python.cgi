#!/usr/bin/python3
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
"""A provider for interop.t, by python3-openid: one user, no passwords.

The protocol is the library's, unchanged; this file adds pages. Environment:

OP_STATE   a directory that the script may write: op.log, store/
OP_ASSOC   all (the default), sha1 or none: which associations are made
OP_AUTO    any: the user approves at once; else a page asks
OP_ANSWER  redirect (what the library chooses by itself), or post: a form
OP_VERIFY  1: ask the realm about return_to first (2.0, 13)
"""

import html
import os
import sys
import time
from urllib.parse import parse_qsl, urlencode

PATH = os.environ.get('PATH_INFO') or '/'
if PATH in ('/endpoint', '/decide'):
    # Most requests are for pages, which need no library, and are faster so.
    from openid.association import default_negotiator
    from openid.extensions import ax, sreg
    from openid.extensions.draft import pape5 as pape
    from openid.server import server as openid_server
    from openid.store.filestore import FileOpenIDStore

STATE = os.environ['OP_STATE']
BASE = 'http://%s:%s%s' % (os.environ['SERVER_NAME'],
                           os.environ['SERVER_PORT'],
                           os.environ['SCRIPT_NAME'])
ENDPOINT = BASE + '/endpoint'
USER = BASE + '/user/alice'
TEAMS_NS = 'http://ns.launchpad.net/2007/openid-teams'
AXSCHEMA = 'http://axschema.org/'

SREG = {'nickname': 'alice', 'email': 'alice@example.com',
        'fullname': 'Alice S\u00f8rensen-\u0141ukasz', 'country': 'DK'}
AX = {AXSCHEMA + 'contact/email': ['alice@example.com', 'alice@example.org'],
      AXSCHEMA + 'namePerson/first': ['Alice'],
      AXSCHEMA + 'namePerson/last': ['S\u00f8rensen-\u0141ukasz']}
TEAMS = ['crew', 'staff']


def log(query, result):
    """A line like those of conf/demo/op.cgi, and the session's type."""
    words = [time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime()),
             query.get('openid.mode', '-')]
    for name, field in (('assoc', 'assoc_type'), ('session', 'session_type'),
                        ('identity', 'identity')):
        words.append(name + '=' + (query.get('openid.' + field) or '-'))
    words.append('handle=' + ('yes' if query.get('openid.assoc_handle')
                              else 'no'))
    with open(STATE + '/op.log', 'a') as out:
        out.write('%s -> %s\n' % (' '.join(words), result))


def respond(status, headers, body=''):
    """Send everything."""
    text = ''.join('%s: %s\r\n' % pair for pair in
                   [('Status', status)] + headers) + '\r\n' + body
    sys.stdout.buffer.write(text.encode('utf-8'))


def page(body, headers=(), head=''):
    """Send an HTML page."""
    respond('200 OK',
            [('Content-Type', 'text/html; charset=utf-8')] + list(headers),
            '<!DOCTYPE html>\n<html><head><title>python3-openid</title>%s'
            '</head>\n<body>%s</body></html>\n' % (head, body))


def xrds(services):
    """Send an XRDS document of [type, ...]."""
    text = ''.join('<Service priority="%d"><Type>%s</Type><URI>%s</URI>'
                   '</Service>\n' % (n, kind, html.escape(ENDPOINT))
                   for n, kind in enumerate(services))
    respond('200 OK', [('Content-Type', 'application/xrds+xml')],
            '<?xml version="1.0" encoding="UTF-8"?>\n'
            '<xrds:XRDS xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">'
            '<XRD>\n%s</XRD></xrds:XRDS>\n' % text)


def links(server, local_id):
    """What a page of HTML discovery has in its head."""
    return ('<link rel="%s" href="%s"><link rel="%s" href="%s">'
            % (server, ENDPOINT, local_id, USER))


def make_server():
    """The library's server, with the associations that are wanted."""
    server = openid_server.Server(FileOpenIDStore(STATE + '/store'), ENDPOINT)
    policy = os.environ.get('OP_ASSOC', 'all')
    negotiator = default_negotiator.copy()
    if policy != 'all':
        negotiator.setAllowedTypes([('HMAC-SHA1', 'DH-SHA1')]
                                   if policy == 'sha1' else [])
    server.negotiator = negotiator
    return server


def add_extensions(request, response):
    """Tell what the request asks for."""
    asked = sreg.SRegRequest.fromOpenIDRequest(request)
    if asked.wereFieldsRequested():
        response.addExtension(sreg.SRegResponse.extractResponse(asked, SREG))
    asked = ax.FetchRequest.fromOpenIDRequest(request)
    if asked:
        answer = ax.FetchResponse(asked)
        for attribute in asked.iterAttrs():
            values = AX.get(attribute.type_uri)
            if values:
                if not attribute.wantsUnlimitedValues():
                    values = values[:attribute.count]
                answer.setValues(attribute.type_uri, values)
        response.addExtension(answer)
    asked = pape.Request.fromOpenIDRequest(request)
    if asked:
        met = asked.preferredTypes([pape.AUTH_MULTI_FACTOR])
        now = time.strftime('%Y-%m-%dT%H:%M:%SZ', time.gmtime())
        response.addExtension(pape.Response(met, now))
    asked = request.message.getArg(TEAMS_NS, 'query_membership')
    if asked:           # the library does not know this one
        fields = response.fields
        fields.namespaces.addAlias(TEAMS_NS, 'teams', fields.isOpenID1())
        fields.setArg(TEAMS_NS, 'is_member', ','.join(
            team for team in asked.split(',') if team in TEAMS))


def send(server, query, response, result):
    """Send what the library makes of a response."""
    log(query, result)
    if (os.environ.get('OP_ANSWER') == 'post'
            and isinstance(response, openid_server.OpenIDResponse)
            and query['openid.mode'].startswith('checkid_')):
        page(server.signatory.sign(response).toHTML())
        return
    web = server.encodeResponse(response)
    kind = 'text/html' if web.body.startswith('<') else 'text/plain'
    respond('%d X' % web.code, [('Content-Type', kind + '; charset=utf-8')]
            + list(web.headers.items()), web.body)


def signed_in():
    """Has the user signed in with this browser, or needs not?"""
    return (os.environ.get('OP_AUTO') == 'any'
            or 'op_user=alice' in os.environ.get('HTTP_COOKIE', ''))


def checkid(server, query, request, decision=None):
    """An authentication request, and what the user decided about it."""
    if os.environ.get('OP_VERIFY'):
        log(query, 'return_to verified: %s' % request.returnToVerified())
    if request.idSelect():
        identity = USER
    else:
        identity = None
        if request.identity != USER:
            decision = 'cancel'
    if decision == 'cancel':
        send(server, query, request.answer(False), 'cancelled')
    elif decision == 'approve' or signed_in():
        response = request.answer(True, identity=identity)
        add_extensions(request, response)
        send(server, query, response, 'approved alice')
    elif request.immediate:
        send(server, query, request.answer(False), 'setup_needed')
    else:
        log(query, 'ask')
        page('<form method="post" action="%s/decide">'
             '<input type="hidden" name="request" value="%s">'
             '<button name="do" value="approve">Approve as alice</button>'
             '<button name="do" value="cancel">Cancel</button></form>'
             % (BASE, html.escape(urlencode(query))))


def endpoint(query, decision=None):
    """Everything that the protocol defines."""
    server = make_server()
    try:
        request = server.decodeRequest(query)
        if request is None:
            page('An OpenID endpoint.')
        elif request.mode in ('checkid_setup', 'checkid_immediate'):
            checkid(server, query, request, decision)
        else:
            response = server.handleRequest(request)
            fields = response.fields.toArgs()
            send(server, query, response, 'is_valid:' + fields['is_valid']
                 if 'is_valid' in fields else 'error:' + fields['error']
                 if 'error' in fields else 'ok')
    except openid_server.ProtocolError as why:
        send(server, query, why, 'error:%s' % why)


def route():
    """Which page is it?"""
    query = os.environ['QUERY_STRING']
    if os.environ['REQUEST_METHOD'] == 'POST':
        size = int(os.environ.get('CONTENT_LENGTH') or 0)
        query = sys.stdin.buffer.read(size).decode('utf-8')
    query = dict(parse_qsl(query, keep_blank_values=True))
    if PATH == '/endpoint':
        endpoint(query)
    elif PATH == '/decide':
        if query['do'] == 'approve':
            sys.stdout.buffer.write(
                b'Set-Cookie: op_user=alice; SameSite=Lax; HttpOnly; Path='
                + os.environ['SCRIPT_NAME'].encode() + b'\r\n')
        endpoint(dict(parse_qsl(query['request'], keep_blank_values=True)),
                 query['do'])
    elif PATH == '/':
        page('The OP Identifier.', [('X-XRDS-Location', BASE + '/xrds')])
    elif PATH == '/xrds':
        xrds(['http://specs.openid.net/auth/2.0/server'])
    elif PATH == '/user/alice':
        page('Alice.', [('X-XRDS-Location', USER + '/xrds')])
    elif PATH == '/user/alice/xrds':
        xrds(['http://specs.openid.net/auth/2.0/signon',
              'http://openid.net/signon/1.1'])
    elif PATH == '/html/alice':
        page('Alice.', head=links('openid2.provider', 'openid2.local_id'))
    elif PATH == '/html11/alice':
        page('Alice.', head=links('openid.server', 'openid.delegate'))
    else:
        respond('404 Not Found', [('Content-Type', 'text/plain')], 'Nothing.')


route()
