# Holds a file: whoever opens it waits. Prints "held", then "asked" when the first one waits, and
# lets go at a line on standard input or at its end.
#
#     perl hold.pl <file>
use strict;
use warnings;

# fcntl(2); a write lease keeps even readers waiting, for /proc/sys/fs/lease-break-time at most.
my ($SET_LEASE, $WRITE, $NONE) = (1024, 1, 2);

$| = 1;
$SIG{IO} = sub { print "asked\n" };
open(my $file, '<', $ARGV[0]) or die "$ARGV[0]: $!\n";
fcntl($file, $SET_LEASE, $WRITE) or die "$ARGV[0]: no lease: $!\n";
print "held\n";
# A signal ends the wait for input without any.
for (;;) {
  my $read = sysread(STDIN, my $line, 1);
  last if defined $read;
}
fcntl($file, $SET_LEASE, $NONE);
