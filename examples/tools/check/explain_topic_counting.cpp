// SPDX-License-Identifier: BSL-1.0
#include "explanation.hpp"

namespace check {

namespace {

constexpr std::array counting{
    labelled_text{"sockstat", "`tw` in the line TCP: of /proc/net/sockstat counts mini-sockets: TIME-WAIT and orphans "
                              "in FIN-WAIT-2, IPv4 and IPv6, of this network namespace (up to Linux 4.10 of the host). "
                              "It takes some microseconds however many there are."},
    labelled_text{"", "`inuse` is this namespace's sockets without mini-sockets. `orphan`, `alloc` and `mem` are the "
                      "host's, in a container too."},
    labelled_text{"ss -s", "Prints the same numbers; its `timewait` is `tw`, its `closed` contains them. In a fresh "
                           "namespace it showed 120001 closed sockets, which were the host's."},
    labelled_text{"netstat", "`netstat -nt` and `ss -t` list connections one by one: TIME-WAIT is TIME-WAIT there, and "
                             "the other mini-sockets are FIN-WAIT-2. 300 connections that the clients had closed, and "
                             "the server not: `tw` 300, TIME_WAIT in netstat 0."},
    labelled_text{"estab", "CurrEstab in /proc/net/snmp, and `estab` of `ss -s`, count CLOSE-WAIT as well: a server "
                           "that forgets to close looks busy."},
    labelled_text{"cost", "100000 TIME-WAITs take netstat | awk 531 ms, ss | wc 270 ms, `closeside-check states` about "
                          "30 ms in one walk of the kernel's table. The walk visits the sockets of all namespaces that "
                          "share the table: an empty container beside 120000 of them takes 15 ms."},
    labelled_text{"threads",
                  "/proc/net is the namespace of the process's main thread. Where a thread has entered another "
                  "one, /proc/thread-self/net is right and /proc/net is not."},
    labelled_text{"TW", "The counter TcpExt:TW is no number of sockets, but of mini-sockets that began, with limits "
                        "above 4 s: since Linux 5.19 when they begin, up to 5.17 when their time is over."},
    labelled_text{"source", "Linux net/ipv4/proc.c: sockstat_seq_show, net/ipv4/inet_diag.c; measured on 6.18 with "
                            "iproute2 6.1 and net-tools 2.10"},
};

constexpr std::array loaders{
    labelled_text{
        "which",
        "systemd-sysctl applies the files at boot. `sysctl --system` of procps applies them when somebody calls it, or "
        "a start script without systemd does: Debian's, or that of OpenRC. Alpine's hands each file to BusyBox' "
        "`sysctl "
        "-p`. `sysctl -p` reads /etc/sysctl.conf alone, or the files named."},
    labelled_text{"agree",
                  "Both read *.conf from sysctl.d below /etc, /run, /usr/local/lib and /usr/lib (procps also /lib), "
                  "sort them by name whatever the directory, and the last one wins. Of two with the same name only the "
                  "one in the first directory is read, and an empty file or a link to /dev/null there switches it off. "
                  "`9-x.conf` comes after `10-x.conf`: names are compared by bytes."},
    labelled_text{"differ",
                  "/etc/sysctl.conf: `sysctl --system` reads it last, so that it wins over everything. systemd-sysctl "
                  "never reads it, unless a link /etc/sysctl.d/99-sysctl.conf leads there: Debian 12 has one, Debian "
                  "13 has not. What `sysctl -p` applied is then lost at the next boot."},
    labelled_text{"",
                  "Hidden files (.x.conf): procps reads them, systemd-sysctl does not. Key and bad value after a good "
                  "one: procps writes both, and the good one stays; systemd-sysctl writes only the last, and nothing "
                  "is set. A line `-key` after `key = v`: systemd-sysctl drops the setting, procps does not."},
    labelled_text{"Alpine",
                  "Its start script goes by directory, not by name: /lib/sysctl.d, /usr/lib/sysctl.d, /etc/sysctl.d, "
                  "/etc/sysctl.conf, and /run/sysctl.d last. BusyBox knows no patterns and no `-key`, cuts a line at "
                  "the first #, and leaves the carriage return of a CRLF file in the value, which the kernel refuses."},
    labelled_text{
        "globs",
        "In both, a key with *, ? or [ is a pattern, to which a plain line for one key is an "
        "exception, wherever it stands. procps before 4.0 has no patterns; in it `-pattern` takes keys away since "
        "4.0.5."},
    labelled_text{"values", "There are no comments behind a value: all of the line is written, and the kernel takes `1 "
                            "# on` as 1, refuses `1;`, and reads 030 as 24, since a leading 0 means octal. A lone "
                            "`1024` for ip_local_port_range changes the low end only; `1024-65535` is refused."},
    labelled_text{"missing",
                  "A key that the kernel lacks: `sysctl --system` passes over it in silence, systemd-sysctl warns, "
                  "`sysctl -p` reports an error and ends with status 1. The other lines are applied by all three."},
    labelled_text{"too soon",
                  "systemd-sysctl runs before most modules are loaded: net.netfilter.* does not exist "
                  "then. Name nf_conntrack in /etc/modules-load.d/, or have a rule of udev run systemd-sysctl "
                  "when the module comes (sysctl.d(5))."},
    labelled_text{
        "others",
        "tuned (the section [sysctl] of its active profile), container runtimes and orchestrators write keys as "
        "well, after the boot: a live value that no file sets need "
        "not be a mistake. closeside-check config compares both loaders with the live values."},
    labelled_text{
        "source",
        "sysctl.d(5), sysctl(8); OpenRC init.d/sysctl.in, Alpine's main/openrc/sysctl.initd, BusyBox procps/sysctl.c; "
        "procps 4.0.2, systemd 252: both run over 83 sets of files, of "
        "which 14 had different results"},
};

} // namespace

const topic_text& topic_counting() noexcept {
    static constexpr topic_text topic{"counting", "Counting sockets: sockstat, netstat and ss do not count the same",
                                      counting};
    return topic;
}

const topic_text& topic_loaders() noexcept {
    static constexpr topic_text topic{"loaders", "systemd-sysctl, sysctl --system and sysctl -p: which file wins",
                                      loaders};
    return topic;
}

} // namespace check
