"""Programs in the place of ffmpeg: scripts that do everything wrong, and one that tries to get out of its sandbox."""

import sys
import sysconfig
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from retake_worker.sandbox import Program, program_at

LIBRARIES = ["/lib", "/lib64", "/usr/lib", "/usr/local/lib", "/etc/ld.so.cache"]  # whatever ctypes is linked with
Fake = Callable[[str], Program]


def scripted(file: Path, body: str) -> Program:
    """A program in Python; all that it may touch more than ffmpeg is Python's own library."""
    start = f"#!{sys.executable} -IS\nimport os, signal, sys, time\nfrom pathlib import Path\n"
    file.write_text(f"{start}{body}\n")
    file.chmod(0o755)
    return reading_python(file)


def reading_python(file: Path) -> Program:
    program = program_at(file)
    return replace(program, reads=[*program.reads, sysconfig.get_path("stdlib"), *LIBRARIES])


PRISONER = r"""
import ctypes, resource, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
worker, foreign, *only = int(sys.argv[5]), *sys.argv[6:]

def asks(number, *arguments):
    if libc.syscall(number, *arguments) < 0:
        raise OSError(ctypes.get_errno(), 'refused')

def signals_the_worker_by_a_pipe():
    import fcntl
    ours, theirs = os.pipe()
    fcntl.fcntl(ours, fcntl.F_SETOWN, worker)

def starts_a_thread():
    thread = threading.Thread(target=int)
    thread.start()
    thread.join()

def forks():
    for _ in range(500):
        if os.fork() == 0:
            time.sleep(60)

def works_in_its_folder():
    Path('a').write_text('x')
    os.truncate('a', 0)
    os.rename('a', 'b')
    os.mkdir('c')
    os.rmdir('c')
    os.unlink('b')

number = {'x86_64': 0, 'aarch64': 1}[os.uname().machine]
MASK = 0x10000000
tries = {
    'works in its folder': works_in_its_folder,
    'starts a thread': starts_a_thread,
    'reads its limits': lambda: resource.getrlimit(resource.RLIMIT_AS),
    'signals itself': lambda: asks((234, 131)[number], os.getpid(), threading.get_native_id(), 0),
    'reads a file of the system': lambda: open('/etc/passwd').read(),
    'lists the world': lambda: os.listdir('/'),
    "reads another job's file": lambda: open(foreign).read(),
    "writes another job's file": lambda: open(foreign, 'a').write('x'),
    "removes another job's file": lambda: os.unlink(foreign),
    'writes beside its folder': lambda: open('../beside', 'w'),
    'links to elsewhere': lambda: os.symlink('/etc', 'link'),
    'makes a pipe in its folder': lambda: os.mkfifo('pipe'),
    'changes the mode of a file': lambda: os.chmod(foreign, 0o777),
    'changes the times of a file': lambda: os.utime(foreign),
    "reads the worker's environment": lambda: open(f'/proc/{worker}/environ').read(),
    "reads the worker's memory": lambda: open(f'/proc/{worker}/mem', 'rb').read(0),
    'reads its own environment': lambda: open('/proc/self/environ').read(),
    'connects within the machine': lambda: socket.socket(socket.AF_UNIX),
    'connects to the world': lambda: socket.socket(socket.AF_INET),
    'connects to the world anew': lambda: socket.socket(socket.AF_INET6, socket.SOCK_DGRAM),
    'makes a pair of sockets': socket.socketpair,
    'forks': forks,
    'runs a shell': lambda: os.execv('/bin/sh', ['sh', '-c', 'exit 9']),
    'signals the worker': lambda: os.kill(worker, 0),
    "signals the worker's thread": lambda: asks((234, 131)[number], worker, worker, 0),
    'signals the worker by a pipe': signals_the_worker_by_a_pipe,
    'stops the worker': lambda: asks((101, 117)[number], 16, worker, 0, 0),
    "limits the worker": lambda: resource.prlimit(worker, resource.RLIMIT_NOFILE),
    'slows the worker down': lambda: os.setpriority(os.PRIO_PROCESS, worker, 19),
    'pins the worker': lambda: os.sched_setaffinity(worker, {0}),
    'outlives the worker': lambda: asks((157, 167)[number], 1, 0, 0, 0, 0),
    'enters a world of its own': lambda: asks((272, 97)[number], MASK),
    'mounts': lambda: asks((165, 40)[number], b'none', b'.', b'tmpfs', 0, 0),
    'opens a ring': lambda: asks(425, 1, 0),
    'loads a program into the kernel': lambda: asks((321, 280)[number], 0, 0, 0),
    'watches the machine': lambda: asks((298, 241)[number], 0, 0, -1, -1, 0),
    'hoards memory elsewhere': lambda: os.memfd_create('hoard'),
    'shares memory': lambda: asks((29, 194)[number], 0, 4096, 0o600),
    'takes all memory': lambda: bytearray(8 << 30),
    'takes all descriptors': lambda: [os.dup(0) for _ in range(2000)],
}
for words in only or tries:
    try:
        tries[words]()
    except (OSError, MemoryError):
        continue
    print(words)
"""

HARMLESS = ["works in its folder", "starts a thread", "reads its limits", "signals itself"]
