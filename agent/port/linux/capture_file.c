#include "capture_file.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "link_layer.h"

/* One of the two readers. libpcap owns the stream it reads from. */
struct capture_file {
    char *path;
    FILE *stream;
    struct pcapng *pcapng;
    pcap_t *pcap;
    uint64_t frames;
};

static int open_stream(struct capture_file *file, struct picket_error *error)
{
    struct stat status;
    file->stream = fopen(file->path, "rb");
    if (file->stream == NULL)
        return picket_fail(error, PICKET_IO, "%s: cannot be opened: %s", file->path,
                           strerror(errno));
    if (fstat(fileno(file->stream), &status) != 0 || !S_ISREG(status.st_mode))
        return picket_fail(error, PICKET_INVALID,
                           "%s: not a regular file (it is read more than once)", file->path);
    return PICKET_OK;
}

static int open_pcap(struct capture_file *file, struct picket_error *error)
{
    char reason[PCAP_ERRBUF_SIZE];
    file->pcap = pcap_fopen_offline(file->stream, reason);
    if (file->pcap == NULL)
        return picket_fail(error, PICKET_INVALID, "%s: not a capture: %s; expected pcap or pcapng",
                           file->path, reason);
    file->stream = NULL;
    return PICKET_OK;
}

static int open_reader(struct capture_file *file, struct picket_error *error)
{
    int status = open_stream(file, error);
    if (status != PICKET_OK)
        return status;
    uint8_t magic[PCAPNG_MAGIC_BYTES] = {0};
    size_t got = fread(magic, 1, sizeof magic, file->stream);
    rewind(file->stream);
    if (magic[0] == 0x1f && magic[1] == 0x8b)
        return picket_fail(error, PICKET_INVALID, "%s: is compressed; gunzip it first", file->path);
    if (got < sizeof magic || !pcapng_is(magic))
        return open_pcap(file, error);
    file->pcapng = pcapng_open(file->stream);
    return file->pcapng != NULL ? PICKET_OK
                                : picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", file->path);
}

int capture_file_open(struct capture_file **file, const char *path, struct picket_error *error)
{
    struct capture_file *opened = calloc(1, sizeof *opened);
    if (opened == NULL || (opened->path = strdup(path)) == NULL) {
        free(opened);
        return picket_fail(error, PICKET_NO_MEMORY, "%s: no memory", path);
    }
    int status = open_reader(opened, error);
    if (status != PICKET_OK) {
        capture_file_close(opened);
        return status;
    }
    *file = opened;
    return PICKET_OK;
}

void capture_file_close(struct capture_file *file)
{
    if (file == NULL)
        return;
    pcapng_close(file->pcapng);
    if (file->pcap != NULL)
        pcap_close(file->pcap);
    if (file->stream != NULL)
        fclose(file->stream);
    free(file->path);
    free(file);
}

static int next_of_pcap(struct capture_file *file, struct captured_frame *frame,
                        struct picket_error *error)
{
    struct pcap_pkthdr *header;
    const uint8_t *bytes;
    int got = pcap_next_ex(file->pcap, &header, &bytes);
    if (got == PCAP_ERROR_BREAK)
        return 0;
    if (got != 1)
        return picket_fail(error, PICKET_INVALID, "%s", pcap_geterr(file->pcap));
    *frame = (struct captured_frame){.link = link_layer_of_pcap(pcap_datalink(file->pcap)),
                                     .bytes = bytes,
                                     .captured_bytes = header->caplen,
                                     .wire_bytes = header->len,
                                     .has_time = true,
                                     .time_s = header->ts.tv_sec};
    return 1;
}

int capture_file_next(struct capture_file *file, struct captured_frame *frame,
                      struct picket_error *error)
{
    int got = file->pcapng != NULL ? pcapng_next(file->pcapng, frame, error)
                                   : next_of_pcap(file, frame, error);
    if (got < 0)
        picket_fail_in(error, "%s: after packet %llu", file->path,
                       (unsigned long long)file->frames);
    else
        file->frames += (uint64_t)got;
    return got;
}
