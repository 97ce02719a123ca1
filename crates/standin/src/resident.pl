# Keeps debconf's modules and database in memory and runs the target's own frontend program, over and over, for the
# clients of a socket. What it replaces is only where a script runs (at the client) and when the database is written
# (once, at the end); every decision is made by the target's own debconf.
use strict;
use warnings;
use Socket;
use IO::Handle;
use FileHandle;
use Debconf::Db;
use Debconf::Template;
use Debconf::AutoSelect qw(:all);
use Debconf::Log qw(:all);
use Debconf::ConfModule;
use Debconf::FrontEnd::Noninteractive;
use Debconf::DbDriver::File;
use Debconf::DbDriver::Stack;

my ($path, $frontend_program) = @ARGV;
my $source = do {
    open(my $file, '<', $frontend_program) or die "$frontend_program: $!";
    local $/;
    <$file>;
};
my $client;
my $loaded = 0;

# `exit` in the frontend's text ends the frontend, not the resident.
BEGIN { *CORE::GLOBAL::exit = sub (;$) { die bless { code => $_[0] // 0 }, 'BarerootExit' }; }

my ($load, $save) = (\&Debconf::Db::load, \&Debconf::Db::save);
{
    no warnings 'redefine';
    *Debconf::Db::load = sub { $load->(@_) unless $loaded++; };
    *Debconf::Db::save = sub { };
    *Debconf::ConfModule::startup = sub {
        my $this = shift;
        my $confmodule = shift;
        $this->frontend->clear;
        $this->busy([]);
        my $command = join("\0", $this->confmodule($confmodule), @_);
        $this->caught_sigpipe('');
        $this->{ended} = 0;
        print $client 'RUN ', length($command), "\n", $command;
    };
    *Debconf::ConfModule::communicate = sub {
        my $this = shift;
        my $frame = <$client>;
        die "the client went away\n" unless defined $frame;
        chomp $frame;
        my $kind = substr($frame, 0, 1, '');
        if ($kind eq 'E') {
            $this->{ended} = 1;
            $this->{status} = $frame;
            return $this->finish;
        }
        $_ = $frame;
        my $reply = $this->process_command($frame);
        return '' if $this->{ended};
        print $client "R$reply\n";
        return '' unless length $reply;
        return 1;
    };
    *Debconf::ConfModule::finish = sub {
        my $this = shift;
        # STOP: the script goes on for a while, and nobody listens to it.
        print $client "R\n" unless $this->{ended};
        while (! $this->{ended}) {
            my $frame = <$client>;
            die "the client went away\n" unless defined $frame;
            chomp $frame;
            if ($frame =~ /^E(.*)/) { $this->{ended} = 1; $this->{status} = $1; }
            else { print $client "R\n"; }
        }
        $this->exitcode($this->{status});
        foreach (@{$this->seen}) {
            my $question = Debconf::Question->get($_->name);
            $_->flag('seen', 'true') if $question;
        }
        $this->seen([]);
        return '';
    };
    *Debconf::ConfModule::DESTROY = sub { };
}

socket(my $listener, PF_UNIX, SOCK_STREAM, 0) or die "socket: $!";
bind($listener, sockaddr_un($path)) or die "bind: $!";
listen($listener, 8) or die "listen: $!";

while (accept(my $connection, $listener)) {
    $client = $connection;
    $client->autoflush(1);
    my $length = <$client>;
    next unless defined $length;
    chomp $length;
    if ($length == 0) {
        my $failed = 0;
        if ($loaded) {
            eval { $save->('Debconf::Db'); 1 } or do { warn $@; $failed = 1; };
        }
        print $client "DONE $failed\n";
        close $client;
        CORE::exit($failed);
    }
    my $frame = '';
    while (length($frame) < $length) {
        read($client, $frame, $length - length($frame), length($frame)) or last;
    }
    my ($count, @words) = split(/\0/, $frame, -1);
    local @ARGV = splice(@words, 0, $count);
    local %ENV = map { /^([^=]*)=(.*)/s ? ($1, $2) : () } @words;
    my $code = 100;
    {
        local ($@, $_, $?, $!, $/) = ('', undef, 0, 0, "\n");
        # The frontend's text defines a sub of its own each time, bound to the variables of that time.
        delete $main::{trytemplate};
        eval "package main;\n$source; 1";
        if (ref $@ && ref $@ eq 'BarerootExit') { $code = $@->{code}; }
        elsif ($@) { print STDERR $@; $code = 255; }
        else { $code = 0; }
    }
    print $client "DONE $code\n";
    close $client;
}
