#pragma once

#include <cstdint>

namespace autopxe::agent {

// What the HTTP server needs of a TCP socket that libmicrohttpd owns. Each takes a descriptor that
// stays open; safe from any thread.

// Ends the connection both ways: the peer sees its end, and whoever waits on the socket wakes up.
void EndConnection(int fd);

// Takes no more from the peer, which may still read what is on its way to it. Of a listening
// socket: refuses connections from now on.
void EndReading(int fd);

// How many bytes the peer has acknowledged since the connection began; 0 if that can't be told.
uint64_t AcknowledgedBytes(int fd);

}  // namespace autopxe::agent
