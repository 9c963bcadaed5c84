/*
 * What the tests of the boundary share: a check that ends the program, memory that counts and fails on demand, and
 * players over the rig.
 */
#ifndef SMOOTHCORE_TEST_ABI_H
#define SMOOTHCORE_TEST_ABI_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rig.h"

#define URL "http://origin.test/vod/testcard.ism/Manifest"

#define CHECK(holds) abi_check((holds) != 0, #holds, __FILE__, __LINE__)
#define CHECK_IS(result, wanted) abi_is((result), (wanted), #result, __FILE__, __LINE__)

void abi_check(int holds, const char *what, const char *file, int line);
void abi_is(long result, long wanted, const char *what, const char *file, int line);

/* Bytes the library holds now, and how many more allocations succeed (negative: all). */
extern size_t abi_held, abi_peak;
extern long abi_allocations_left;

/* A configuration of zeros but for sizes and versions. */
smoothcore_config abi_config(void);

/* A rig that plays the test card, silent. Free it with free(). */
rig *abi_rig(void);

/* A player over the rig's tables, opened. */
smoothcore_player *abi_player(rig_tables *tables);

/* Steps until `until_us` of virtual time, or the end; the last result. */
int32_t abi_step(rig *r, smoothcore_player *player, uint64_t until_us);

/* The tests, one a file. */
void test_structs(void);
void test_nulls(void);
void test_reentry(void);
void test_contract(void);
void test_streams(void);
void test_handles(void);
void test_protection(void);
void test_init(void);
void test_deviations(void);
void test_source(void);
void test_tracks(void);
void test_live(void);
void test_switching(void);

#endif
