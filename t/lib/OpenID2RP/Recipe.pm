# SPDX-FileCopyrightText: 2026 the mod_openid2rp developers
# SPDX-License-Identifier: Apache-2.0

package OpenID2RP::Recipe;

=head1 NAME

OpenID2RP::Recipe - a file of conf/recipes, on an httpd of a test's own

=head1 SYNOPSIS

    use OpenID2RP::Recipe;

    my $recipe = OpenID2RP::Recipe->new('cgi.conf');
    $recipe->modules;                   # that its comment names
    $recipe->defines;                   # what is to be changed in it
    my $text = $recipe->with(CGI_FOLDER => $folder);
    my $httpd = $recipe->httpd({ CGI_FOLDER => $folder }, @lines);
    $httpd->start or die $httpd->says;

The httpd has what a login needs, the modules that the recipe's comment names,
and the recipe where the comment says: in a virtual host, or outside. Nothing of
it is changed but the values of its Define lines.

=cut

use v5.14;
use strict;
use warnings;
use Carp qw(croak);
use Cwd qw(getcwd);
use OpenID2RP::Httpd;
use OpenID2RP::Process qw(lines_of);

use constant FOLDER => 'conf/recipes';

sub all { map { m{([^/]+)\z} } sort glob FOLDER . '/*.conf' }

sub new {
    my ($class, $name) = @_;
    my $text = join '', lines_of(FOLDER . "/$name");
    croak "no recipe $name" unless length $text;
    my ($head) = $text =~ /\A((?:#.*\n)+)/;
    my ($where) = $head =~ /^# Where: (.*)$/m;
    my ($modules) = $head =~ /^# Modules: (.*\n(?:#   .*\n)*)/m;
    return bless { name => $name, text => $text, head => $head,
        where => $where // '', modules => $modules // '' }, $class;
}

sub head { $_[0]{head} }
sub text { $_[0]{text} }
sub where { $_[0]{where} }

sub modules {
    my ($self) = @_;
    return $self->{modules} =~ s/\([^)]*\)//gsr =~ /(\w+)/g;
}

sub defines { $_[0]{text} =~ /^Define (\w+) /mg }

# Its text with other values. All must be given, and no others.
sub with {
    my ($self, %value) = @_;
    my $text = $self->{text}
        =~ s/^(Define (\w+)) .*$/"$1 " . delete($value{$2}) || croak $2/gemr;
    croak "$self->{name} does not define: @{[ %value ]}" if %value;
    return $text;
}

# An httpd, not started: a reference to a hash of values, and lines that stand
# behind the recipe, where it stands; with these, it can also run scripts.
sub httpd {
    my ($self, $value, @lines) = @_;
    my $httpd = OpenID2RP::Httpd->new;
    $self->configure($httpd, $value, @lines);
    return $httpd;
}

sub configure {
    my ($self, $httpd, $value, @lines) = @_;
    my ($dir, $port) = ($httpd->dir, $httpd->port);
    mkdir "$dir/web";
    my @recipe = ($self->with(%$value), @lines);
    # Not below the folder that every httpd of the tests protects.
    @recipe = ("<VirtualHost 127.0.0.1:$port>", "ServerName localhost:$port",
        "DocumentRoot $dir/web", @recipe, '</VirtualHost>')
        if $self->{where} =~ /<VirtualHost> of/;
    $httpd->configure(load_lines($self->modules, @lines ? qw(alias cgid) : ()),
        '<IfModule cgid_module>', "ScriptSock $dir/cgid.sock", '</IfModule>',
        @recipe);
}

# A script for ScriptAlias and the like.
sub script { getcwd() . "/$_[0]" }

# LoadModule lines; those that every httpd has are no harm, but a warning.
sub load_lines {
    my (@names) = @_;
    my @inherited = lines_of('t/inherited.conf');
    my ($folder) = map { m{ (\S+)/mod_mpm_\w+\.so} } @inherited;
    my ($mpm) = map { /LoadModule mpm_(\w+)_module/ } @inherited;
    my %seen = map { $_ => 1 } qw(openid2rp authn_core authz_core authz_user);
    # These are of no use alone, and nobody forgets them.
    push @names, 'socache_shmcb' if grep { $_ eq 'ssl' } @names;
    return map { "LoadModule ${_}_module $folder/mod_$_.so" }
        map { $_ eq 'cgid' && $mpm eq 'prefork' ? 'cgi' : $_ }
        grep { !$seen{$_}++ } @names;
}

1;
