#pragma once

// Libraries that are opened when they are first wanted: with the dozen others that they bring they cost eight megabytes
// of memory from the start, and many devices never need them.
//
// Programs are compiled with the libraries' own headers (CNice, COpenSSL, CUSRSCTP, CMosquitto), but not linked to them:
// this module has a function of each name that is called, which jumps to the library's own once that is open. What is
// called too early ends the process with a message.
//
// These functions open what is not open yet, from any thread, and may take some tens of milliseconds. They return NULL, or
// why a library cannot be had, such as the name of a file that is not there. The text is of the calling thread and lives
// until it calls again.

// libnice, OpenSSL and usrsctp.
const char *_Nullable cdelayed_open_peers(void);
// Of OpenSSL what hashes and signs.
const char *_Nullable cdelayed_open_cryptography(void);
// libmosquitto.
const char *_Nullable cdelayed_open_mosquitto(void);
