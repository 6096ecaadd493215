//! The REST edge and the hosted pages, over real sockets.

mod reference;
