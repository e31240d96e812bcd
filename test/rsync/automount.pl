# What automount(8) does for one folder: reads the kernel's requests from the pipe at descriptor 3,
# runs the command that mounts, and tells the kernel that it is done, or that it failed.
#
#     perl automount.pl <folder> <command> [<argument>...]
use strict;
use warnings;
use Fcntl;

my ($folder, @command) = @ARGV;
my ($READY, $FAIL) = (0x9360, 0x9361);    # AUTOFS_IOC_READY, AUTOFS_IOC_FAIL
open(my $pipe, '<&=', 3) or die "pipe: $!";
$| = 1;

# This process group is the one that the kernel lets through, once the folder is an automount.
my $root;
print "begun\n";
while (sysread($pipe, my $packet, 304)) {
    # struct autofs_v5_packet: version, type, token, device, inode number, …
    my (undef, undef, $token) = unpack('iiL', $packet);
    sysopen($root, $folder, O_RDONLY | O_DIRECTORY) or die "$folder: $!" unless $root;
    my $mounted = system(@command) == 0;
    ioctl($root, $mounted ? $READY : $FAIL, $token) or die "ioctl: $!";
    print $mounted ? "mounted\n" : "failed\n";
}
