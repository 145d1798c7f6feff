/* Certificates for the tests, made anew in each process: P-256 keys, PEM files in a folder. */
#ifndef TESTS_CHAOS_CERTS_H
#define TESTS_CHAOS_CERTS_H

/* Writes into `folder`, which exists: ca.pem, and of good, expired, wrong_name, unknown_ca NAME.pem
 * and NAME.key. All but wrong_name are for "edge.test". */
void certs_make(const char *folder);

#endif
