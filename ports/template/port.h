/* Your port, all of it: copy this folder, rename it, and fill one file after the other. README.md gives the order. */
#ifndef PORT_H
#define PORT_H

#include "smoothcore.h"

/* What your hooks need to find their things again. It is their userdata. */
struct port {
    void *yours;
};

smoothcore_clock_port port_clock(struct port *port);
smoothcore_decoder_port port_decoder(struct port *port);
/* For protected content; delete the file if there is none. */
smoothcore_protection_port port_protection(struct port *port);
/* One of these two; delete the other file. */
smoothcore_stream_port port_streams(struct port *port);
smoothcore_http_port port_http(struct port *port);
/* For presentations on disk; delete the file if there is no disk. */
smoothcore_source_port port_source(struct port *port);

#endif
