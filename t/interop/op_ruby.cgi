#!/usr/bin/ruby --disable=gems
# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0
#
# A provider for interop.t, by ruby-openid: one user, no passwords. What
# op_python.cgi says about itself is true of this one, too; but it is found by
# an http-equiv in its pages, and answers AX under aliases of the library's.

require 'erb'
require 'uri'

PATH = ENV['PATH_INFO'].to_s.sub(/\A\z/, '/').freeze
if %w[/endpoint /decide].include?(PATH)
  # Most requests are for pages, which need no library, and are faster so.
  begin
    require 'openid/server'
  rescue LoadError
    require 'rubygems' # where it is installed as a gem
    require 'openid/server'
  end
  require 'openid/store/filesystem'
  require 'openid/extensions/ax'
  require 'openid/extensions/pape'
  require 'openid/extensions/sreg'
end

STATE = ENV.fetch('OP_STATE')
BASE = "http://#{ENV['SERVER_NAME']}:#{ENV['SERVER_PORT']}" \
       "#{ENV['SCRIPT_NAME']}".freeze
ENDPOINT = "#{BASE}/endpoint".freeze
USER = "#{BASE}/user/alice".freeze
TEAMS_NS = 'http://ns.launchpad.net/2007/openid-teams'.freeze
AXSCHEMA = 'http://axschema.org/'.freeze

SREG = { 'nickname' => 'alice', 'email' => 'alice@example.com',
         'fullname' => "Alice S\u00f8rensen-\u0141ukasz",
         'country' => 'DK' }.freeze
AX = { "#{AXSCHEMA}contact/email" =>
         ['alice@example.com', 'alice@example.org'],
       "#{AXSCHEMA}namePerson/first" => ['Alice'],
       "#{AXSCHEMA}namePerson/last" => ["S\u00f8rensen-\u0141ukasz"] }.freeze
TEAMS = %w[crew staff].freeze

def escape(text)
  ERB::Util.html_escape(text)
end

# A line like those of conf/demo/op.cgi, and the session's type.
def log(query, result)
  words = [Time.now.utc.strftime('%Y-%m-%dT%H:%M:%SZ'),
           query['openid.mode'] || '-']
  { 'assoc' => 'assoc_type', 'session' => 'session_type',
    'identity' => 'identity' }.each do |name, field|
    words << "#{name}=#{query["openid.#{field}"] || '-'}"
  end
  words << "handle=#{query['openid.assoc_handle'] ? 'yes' : 'no'}"
  File.open("#{STATE}/op.log", 'a') do |out|
    out.write("#{words.join(' ')} -> #{result}\n")
  end
end

def respond(status, headers, body = '')
  lines = { 'Status' => status }.merge(headers)
  $stdout.binmode
  $stdout.write(lines.map { |pair| "#{pair.join(': ')}\r\n" }.join, "\r\n",
                body)
end

def page(body, head = '')
  respond('200 OK', { 'Content-Type' => 'text/html; charset=utf-8' },
          "<!DOCTYPE html>\n<html><head><title>ruby-openid</title>#{head}" \
          "</head>\n<body>#{body}</body></html>\n")
end

def yadis_page(body, location)
  page(body, "<meta http-equiv=\"X-XRDS-Location\" content=\"#{location}\">")
end

def xrds(*types)
  services = types.each_with_index.map do |type, n|
    "<Service priority=\"#{n}\"><Type>#{type}</Type>" \
      "<URI>#{escape(ENDPOINT)}</URI></Service>\n"
  end
  respond('200 OK', { 'Content-Type' => 'application/xrds+xml' },
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<xrds:XRDS " \
          'xmlns:xrds="xri://$xrds" xmlns="xri://$xrd*($v*2.0)">' \
          "<XRD>\n#{services.join}</XRD></xrds:XRDS>\n")
end

def links(server, local_id)
  "<link rel=\"#{server}\" href=\"#{ENDPOINT}\">" \
    "<link rel=\"#{local_id}\" href=\"#{USER}\">"
end

def make_server
  store = OpenID::Store::Filesystem.new("#{STATE}/store")
  server = OpenID::Server::Server.new(store, ENDPOINT)
  policy = ENV['OP_ASSOC'] || 'all'
  unless policy == 'all'
    types = policy == 'sha1' ? [%w[HMAC-SHA1 DH-SHA1]] : []
    server.negotiator = OpenID::AssociationNegotiator.new(types)
  end
  server
end

def ax_response(asked)
  answer = OpenID::AX::FetchResponse.new
  asked.attributes.each do |attribute|
    values = AX[attribute.type_uri] or next
    unless attribute.wants_unlimited_values?
      values = values.first(attribute.count)
    end
    answer.set_values(attribute.type_uri, values)
  end
  answer
end

# An extension that the library does not know.
def add_teams(request, fields)
  asked = request.message.get_arg(TEAMS_NS, 'query_membership') or return
  fields.namespaces.add_alias(TEAMS_NS, 'teams', fields.is_openid1)
  fields.set_arg(TEAMS_NS, 'is_member', (asked.split(',') & TEAMS).join(','))
end

# Tell what the request asks for.
def add_extensions(request, response)
  asked = OpenID::SReg::Request.from_openid_request(request)
  if asked
    response.add_extension(OpenID::SReg::Response.extract_response(asked,
                                                                   SREG))
  end
  asked = OpenID::AX::FetchRequest.from_openid_request(request)
  response.add_extension(ax_response(asked)) if asked
  asked = OpenID::PAPE::Request.from_openid_request(request)
  if asked
    met = asked.preferred_types([OpenID::PAPE::AUTH_MULTI_FACTOR])
    now = Time.now.utc.strftime('%Y-%m-%dT%H:%M:%SZ')
    response.add_extension(OpenID::PAPE::Response.new(met, now))
  end
  add_teams(request, response.fields)
end

# Send what the library makes of a response.
def deliver(server, query, response, result)
  log(query, result)
  if ENV['OP_ANSWER'] == 'post' && query['openid.mode'] =~ /\Acheckid_/ &&
     response.is_a?(OpenID::Server::OpenIDResponse)
    return page(server.signatory.sign(response).to_html)
  end
  web = server.encode_response(response)
  type = web.body.start_with?('<') ? 'text/html' : 'text/plain'
  respond("#{web.code} X",
          { 'Content-Type' => "#{type}; charset=utf-8" }.merge(web.headers),
          web.body)
end

# Has the user signed in with this browser, or needs not?
def signed_in?
  ENV['OP_AUTO'] == 'any' || ENV['HTTP_COOKIE'].to_s.include?('op_user=alice')
end

def ask(query)
  log(query, 'ask')
  page("<form method=\"post\" action=\"#{BASE}/decide\">" \
       '<input type="hidden" name="request" ' \
       "value=\"#{escape(URI.encode_www_form(query))}\">" \
       '<button name="do" value="approve">Approve as alice</button>' \
       '<button name="do" value="cancel">Cancel</button></form>')
end

# The library calls something that it has not.
def verify_return_to(request)
  request.return_to_verified
rescue NameError => e
  e.class
end

def checkid(server, query, request, decision)
  if ENV['OP_VERIFY']
    log(query, "return_to verified: #{verify_return_to(request)}")
  end
  decision = 'cancel' unless request.id_select || request.identity == USER
  if decision == 'cancel'
    deliver(server, query, request.answer(false), 'cancelled')
  elsif decision == 'approve' || signed_in?
    identity = request.id_select ? USER : nil
    response = request.answer(true, nil, identity)
    add_extensions(request, response)
    deliver(server, query, response, 'approved alice')
  elsif request.immediate
    deliver(server, query, request.answer(false), 'setup_needed')
  else
    ask(query)
  end
end

def direct(server, query, request)
  response = server.handle_request(request)
  fields = response.fields.to_args
  result = %w[is_valid error].map { |f| fields[f] && "#{f}:#{fields[f]}" }
  deliver(server, query, response, result.compact.first || 'ok')
end

def endpoint(query, decision = nil)
  server = make_server
  request = server.decode_request(query)
  case request
  when nil then page('An OpenID endpoint.')
  when OpenID::Server::CheckIDRequest
    checkid(server, query, request, decision)
  else direct(server, query, request)
  end
rescue OpenID::Server::ProtocolError => e
  deliver(server, query, e, "error:#{e}")
end

def decide(form)
  if form['do'] == 'approve'
    $stdout.write('Set-Cookie: op_user=alice; SameSite=Lax; HttpOnly; Path=',
                  ENV['SCRIPT_NAME'], "\r\n")
  end
  endpoint(URI.decode_www_form(form['request']).to_h, form['do'])
end

def route(form)
  case PATH
  when '/endpoint' then endpoint(form)
  when '/decide' then decide(form)
  when '/' then yadis_page('The OP Identifier.', "#{BASE}/xrds")
  when '/xrds' then xrds('http://specs.openid.net/auth/2.0/server')
  when '/user/alice' then yadis_page('Alice.', "#{USER}/xrds")
  when '/user/alice/xrds'
    xrds('http://specs.openid.net/auth/2.0/signon',
         'http://openid.net/signon/1.1')
  when '/html/alice'
    page('Alice.', links('openid2.provider', 'openid2.local_id'))
  when '/html11/alice'
    page('Alice.', links('openid.server', 'openid.delegate'))
  else respond('404 Not Found', { 'Content-Type' => 'text/plain' }, 'Nothing.')
  end
end

post = ENV['REQUEST_METHOD'] == 'POST'
$stdin.binmode
sent = post ? $stdin.read(ENV['CONTENT_LENGTH'].to_i) : ENV['QUERY_STRING']
route(URI.decode_www_form(sent.to_s).to_h)
