/*
 * Throw-away certificates of a run (EC P-256, ECDSA with SHA-256), as PEM files in one folder: a
 * CA, good and bad certificates for the two servers, and one for any device that asks.
 *
 *   ca.pem            whom a client should trust       broker-good.pem     broker-good.key
 *   unknown-ca.pem    whom it should not               broker-expired.pem  ...
 *
 * Server certificates hold the name as CN and SAN, with IP 127.0.0.1 as a second SAN; the usage is
 * TLS server only, that of a device TLS client only. Keys of certificates are files of mode 0600;
 * the CAs' own keys stay in memory. No clock inside: validity counts from now_ms (Unix time), but
 * who checks a certificate uses his own clock. Keys are OpenSSL's randomness, so no two runs have
 * the same. Nothing is synced: no file need survive a power cut.
 *
 * Pointers are not NULL. Not thread-safe for one struct. Errors: enum sim_servers_error of
 * sim/servers.h; message (len bytes, closed by a NUL) then says what was wrong, with the path.
 */
#ifndef SIM_PKI_H
#define SIM_PKI_H

#include <stddef.h>
#include <stdint.h>

#define SIM_BROKER_NAME "broker.brickyard.test"
#define SIM_STORE_NAME "artifacts.brickyard.test"

enum { SIM_PKI_FOLDER_MAX = 512, SIM_PKI_PATH_MAX = 640 };

/* What is wrong with a certificate; and which listener of a server shows it. */
enum sim_cert {
    SIM_CERT_GOOD,
    SIM_CERT_EXPIRED,       /* from 3 days to 1 day before now */
    SIM_CERT_NOT_YET_VALID, /* from 1 day after now, for validity_days */
    SIM_CERT_WRONG_NAME,    /* wrong.brickyard.test, no IP; a device's: CN = wrong-<id> */
    SIM_CERT_UNKNOWN_CA,    /* all right but for its issuer */
    SIM_CERT_KINDS
};
/* "good", "expired", "not-yet-valid", "wrong-name", "unknown-ca": as in the files' names. */
const char *sim_cert_name(enum sim_cert kind);

enum sim_pem { SIM_PEM_CERTIFICATE, SIM_PEM_KEY };

struct sim_pki {
    char folder[SIM_PKI_FOLDER_MAX];
    int64_t now_ms;
    uint32_t validity_days;
    uint32_t serial;                 /* of the last certificate that was issued */
    struct x509_st *ca, *unknown_ca; /* OpenSSL's X509 */
    struct evp_pkey_st *ca_key, *unknown_ca_key;
};

/*
 * Makes the CAs and the ten server certificates in folder, which is there and empty. Good ones hold
 * from one day before now_ms to validity_days (1..3650) after it. SIM_SERVERS_ECONFIG, _EIO,
 * _ECRYPTO: out is closed, files may be left in the folder.
 */
int sim_pki_create(struct sim_pki *out, const char *folder, uint32_t validity_days, int64_t now_ms,
                   char *message, size_t len);
/* Frees the keys in memory and zeroes the struct; the files stay. Twice, and zeroed, is allowed. */
void sim_pki_close(struct sim_pki *pki);

/*
 * A client certificate and key, CN = device_id (1..63 of A-Z a-z 0-9 . _ -, the first not a dot),
 * for mutual TLS; below 1 ms each. Files: sim_pki_device_path. Replaces those of an earlier call.
 */
int sim_pki_device(struct sim_pki *pki, const char *device_id, enum sim_cert kind, char *message,
                   size_t len);

/*
 * A server's certificate for a name or an IPv4 address of somebody else, and 127.0.0.1, by the
 * run's CA: who stands in for that server before a client that trusts this CA too.
 */
int sim_pki_stand_in(struct sim_pki *pki, const char *host, char *message, size_t len);
void sim_pki_stand_in_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX],
                           enum sim_pem what);

/* Paths below the folder; they are there once made. */
void sim_pki_ca_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX]);
/* server: SIM_BROKER_NAME or SIM_STORE_NAME. */
void sim_pki_server_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX], const char *server,
                         enum sim_cert kind, enum sim_pem what);
void sim_pki_device_path(const struct sim_pki *pki, char out[SIM_PKI_PATH_MAX],
                         const char *device_id, enum sim_cert kind, enum sim_pem what);

#endif
