/*
 * Makes a fragmented MP4 of a WAV file whose sound FFmpeg's muxer has no name for: WMA with its WAVEFORMATEX in a wfex
 * box, or PCM.
 *   wave IN.wav OUT.isma FRAMES       (frames of sound in a packet; WMA: of its block, PCM: as many as wanted)
 * Forty packets a fragment, times of 100 ns, no index at the end.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint8_t out[4 << 20];
static size_t len;
/* Where open boxes begin. */
static size_t stack[16];
static int depth;

static void put(uint64_t value, int bytes)
{
    while (bytes-- > 0) out[len++] = (uint8_t)(value >> (8 * bytes));
}

static void raw(const void *bytes, size_t count)
{
    memcpy(out + len, bytes, count);
    len += count;
}

static void zeros(size_t count)
{
    memset(out + len, 0, count);
    len += count;
}

static void open_box(const char *name)
{
    stack[depth++] = len;
    put(0, 4);
    raw(name, 4);
}

static void close_box(void)
{
    size_t start = stack[--depth], end = len;
    len = start;
    put(end - start, 4);
    len = end;
}

static void empty_full(const char *name, size_t rest)
{
    open_box(name);
    zeros(4 + rest);
    close_box();
}

static void matrix(void)
{
    put(0x10000, 4), zeros(12), put(0x10000, 4), zeros(12), put(0x40000000, 4);
}

static uint32_t le(const uint8_t *bytes, int count)
{
    uint32_t value = 0;
    while (count-- > 0) value = value << 8 | bytes[count];
    return value;
}

static void header(const uint8_t *format, size_t format_size)
{
    int pcm = le(format, 2) == 1;
    open_box("ftyp"), raw("isml\0\0\2\0piffiso2", 16), close_box();
    open_box("moov");
    open_box("mvhd"), zeros(12), put(10000000, 4), zeros(4), put(0x10000, 4), put(0x100, 2), zeros(10), matrix();
    zeros(24), put(2, 4), close_box();
    open_box("trak");
    open_box("tkhd"), put(7, 4), zeros(8), put(1, 4), zeros(20), put(0x100, 2), zeros(2), matrix(), zeros(8), close_box();
    open_box("mdia");
    open_box("mdhd"), zeros(12), put(10000000, 4), zeros(4), put(0x55c4, 2), zeros(2), close_box();
    open_box("hdlr"), zeros(8), raw("soun", 4), zeros(13), close_box();
    open_box("minf");
    empty_full("smhd", 4);
    open_box("stbl");
    open_box("stsd"), zeros(4), put(1, 4);
    open_box(pcm ? "sowt" : "wma "), zeros(6), put(1, 2), zeros(8), put(le(format + 2, 2), 2), put(le(format + 14, 2), 2);
    zeros(4), put((uint64_t)le(format + 4, 4) << 16, 4);
    if (!pcm) open_box("wfex"), raw(format, format_size), close_box();
    close_box(), close_box();
    empty_full("stts", 4), empty_full("stsc", 4), empty_full("stsz", 8), empty_full("stco", 4);
    close_box(), close_box(), close_box(), close_box();
    open_box("mvex");
    open_box("trex"), zeros(4), put(1, 4), put(1, 4), zeros(12), close_box();
    close_box(), close_box();
}

int main(int argc, char **argv)
{
    static uint8_t in[4 << 20];
    const uint8_t *format = NULL, *data = NULL;
    size_t size, at, format_size = 0, data_size = 0, packet, first, n;
    uint64_t frames, rate;
    FILE *file = argc == 4 ? fopen(argv[1], "rb") : NULL;
    if (file == NULL) return 2;
    size = fread(in, 1, sizeof in, file);
    fclose(file);
    for (at = 12; at + 8 <= size; at += 8 + ((le(in + at + 4, 4) + 1) & ~1u)) {
        if (memcmp(in + at, "fmt ", 4) == 0) format = in + at + 8, format_size = le(in + at + 4, 4);
        if (memcmp(in + at, "data", 4) == 0) data = in + at + 8, data_size = le(in + at + 4, 4);
    }
    if (format == NULL || data == NULL || data + data_size > in + size) return 3;
    frames = (uint64_t)atoi(argv[3]), rate = le(format + 4, 4), packet = le(format + 12, 2);
    if (le(format, 2) == 1) packet *= frames;
    header(format, format_size);
    for (first = 0; (first + 1) * packet <= data_size; first += 40) {
        size_t count = data_size / packet - first, offset, moof = len;
        if (count > 40) count = 40;
        open_box("moof");
        open_box("mfhd"), zeros(4), put(first / 40 + 1, 4), close_box();
        open_box("traf");
        open_box("tfhd"), put(0x020010, 4), put(1, 4), put(packet, 4), close_box();
        /* Data offset, and a duration for each: times do not drift. */
        open_box("trun"), put(0x101, 4), put(count, 4), offset = len, put(0, 4);
        for (n = first; n < first + count; n++) put((n + 1) * frames * 10000000 / rate - n * frames * 10000000 / rate, 4);
        close_box(), close_box(), close_box();
        at = len;
        len = offset;
        put(at + 8 - moof, 4);
        len = at;
        open_box("mdat"), raw(data + first * packet, count * packet), close_box();
    }
    file = fopen(argv[2], "wb");
    return file == NULL || fwrite(out, 1, len, file) != len || fclose(file) != 0;
}
