//! The local page's calls, without a socket.
