#pragma once

// What is left of a process that crashes: the signal, the thread and the calls that led there, on standard error (the
// journal) and in a file of its own. Only what a signal handler may do is done after the crash.

// From now on. `folder` is where files go, "crash-SECONDS.txt", or NULL for none; `version` stands in them. Both are
// copied. Call it once, before there are other threads.
void crash_report_install(const char *folder, const char *version);
