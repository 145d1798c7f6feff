/* Certificates made at test time: P-256 keys, PEM files in one folder. */
#ifndef TEST_DRIVERS_CERTS_H
#define TEST_DRIVERS_CERTS_H

#include <stdbool.h>
#include <stddef.h>

/* Writes ca.pem, other-ca.pem and, each with its .key:
 *   server.pem   server.test and the address
 *   wrong.pem    elsewhere.test only
 *   expired.pem  like server, ended yesterday
 *   unknown.pem  like server, of the other CA
 *   client.pem   common name "device-7" */
bool certs_make(const char *folder, const char *address);

#endif
