/* Downloads from a real server. */
#include "fetch.h"
#include <criterion/criterion.h>
#include <string.h>

TestSuite(drivers_http, .init = world_open, .fini = world_close, .timeout = 300);

static struct fetch fetch;

static void open_on(const char *certificate, const char *path)
{
    world_web(certificate);
    fetch_open(&fetch, world.web_port, path);
}

static void expect_refusal(const char *phrase)
{
    fetch_run(&fetch);
    cr_assert_eq(fetch.count[FETCH_HEAD], 0);
    cr_assert(strstr(fetch.why, phrase), "told: %s", fetch.why);
    fetch_close(&fetch);
}

static void expect_image_from(uint32_t offset)
{
    cr_assert_eq(fetch.count[FETCH_END], 1, "%s", fetch.why);
    cr_assert_eq(fetch.status, offset ? 206 : 200);
    cr_assert_eq(fetch.offset, offset);
    cr_assert_eq(fetch.total, WORLD_IMAGE_BYTES);
    cr_assert_eq(fetch.len, WORLD_IMAGE_BYTES - offset);
    cr_assert_eq(memcmp(fetch.body, world.image + offset, fetch.len), 0);
}

Test(drivers_http, a_whole_file)
{
    open_on("server", "/image.bin");
    fetch_run(&fetch);
    expect_image_from(0);
    fetch_close(&fetch);
}

Test(drivers_http, the_rest_of_a_file)
{
    const uint32_t offset[] = {1, 4096, WORLD_IMAGE_BYTES - 1};
    open_on("server", "/image.bin");
    for (int i = 0; i < 3; i++) {
        fetch.request.offset = offset[i];
        fetch_run(&fetch);
        expect_image_from(offset[i]);
    }
    fetch_close(&fetch);
}

Test(drivers_http, an_empty_file_has_a_head_and_an_end)
{
    open_on("server", "/empty.bin");
    fetch_run(&fetch);
    cr_assert_eq(fetch.count[FETCH_END], 1);
    cr_assert_eq(fetch.count[FETCH_HEAD], 1);
    cr_assert_eq(fetch.status, 200);
    fetch_close(&fetch);
}

Test(drivers_http, refusals_of_the_server_are_heads)
{
    open_on("server", "/missing.bin");
    fetch_run(&fetch);
    cr_assert_eq(fetch.status, 404);
    cr_assert_eq(fetch.total, 0);
    fetch_close(&fetch);
    fetch_open(&fetch, world.web_port, "/denied");
    fetch_run(&fetch);
    cr_assert_eq(fetch.status, 403);
    fetch_close(&fetch);
}

Test(drivers_http, a_range_behind_the_end)
{
    open_on("server", "/image.bin");
    fetch.request.offset = WORLD_IMAGE_BYTES;
    fetch_run(&fetch);
    cr_assert_eq(fetch.status, 416);
    cr_assert_eq(fetch.total, WORLD_IMAGE_BYTES);
    fetch_close(&fetch);
}

Test(drivers_http, a_redirect_is_followed_with_the_range)
{
    open_on("server", "/moved");
    fetch.request.offset = 1000;
    fetch_run(&fetch);
    expect_image_from(1000);
    cr_assert_eq(fetch.count[FETCH_HEAD], 1);
    fetch_close(&fetch);
}

Test(drivers_http, a_packed_answer_is_not_unpacked)
{
    open_on("server", "/packed");
    fetch_run(&fetch);
    expect_image_from(0);
    fetch_close(&fetch);
}

Test(drivers_http, an_address_in_place_of_a_name)
{
    char to[64];
    open_on("server", "");
    strcpy(fetch.url, "https://server.test/image.bin");
    snprintf(to, sizeof to, "%s:%u", world.address, world.web_port);
    fetch.request.connect_to = to;
    fetch.request.bind_address = "127.99.98.97";
    fetch_run(&fetch);
    expect_image_from(0);
    strcpy(fetch.url, "https://other.test/image.bin");
    expect_refusal("other.test");
}

Test(drivers_http, nothing_but_https)
{
    const char *const url[] = {"http://127.0.0.1/", "file:///etc/passwd", "image.bin", "",
                               "https:"};
    open_on("server", "");
    for (size_t i = 0; i < sizeof url / sizeof url[0]; i++) {
        fetch.request.url = url[i];
        cr_assert_null(agent_http_get(fetch.http, &fetch.request, NULL, NULL), "%s", url[i]);
    }
    fetch_close(&fetch);
}

Test(drivers_http, another_name_is_refused)
{
    open_on("wrong", "/image.bin");
    expect_refusal("no alternative certificate subject name");
}

Test(drivers_http, an_expired_certificate_is_refused)
{
    open_on("expired", "/image.bin");
    expect_refusal("certificate has expired");
}

Test(drivers_http, an_unknown_authority_is_refused)
{
    open_on("unknown", "/image.bin");
    expect_refusal("unable to get local issuer certificate");
}

static int64_t shifted_ms(void *ctx)
{
    return (int64_t)(ev_time() * 1000) + *(const int64_t *)ctx;
}

Test(drivers_http, a_device_clock_ten_years_off_refuses)
{
    int64_t shift = INT64_C(315576000000);
    open_on("server", "/image.bin");
    fetch.request.clock = (struct agent_clock){shifted_ms, &shift};
    expect_refusal("certificate has expired");
    fetch_open(&fetch, world.web_port, "/image.bin");
    fetch.request.clock = (struct agent_clock){shifted_ms, &shift};
    shift = -shift;
    expect_refusal("certificate is not yet valid");
}

/* All connections share one store: libcurl must not have put the system's CAs there. */
Test(drivers_http, the_trusted_authorities_stay_as_they_are)
{
    X509_STORE *store = SSL_CTX_get_cert_store(agent_tls_context(world.tls));
    open_on("server", "/image.bin");
    for (int i = 0; i < 3; i++)
        fetch_run(&fetch);
    cr_assert_eq(sk_X509_OBJECT_num(X509_STORE_get0_objects(store)), 1);
    fetch_close(&fetch);
}

Test(drivers_http, a_client_certificate_where_one_is_required)
{
    char cert[160], key[160], why[160] = "";
    struct agent_identity *identity;
    strcpy(cert, world_path("client.pem"));
    strcpy(key, world_path("client.key"));
    cr_assert_eq(agent_identity_load(&identity, cert, key, why, sizeof why), 0, "%s", why);
    world_web("server");
    fetch_open(&fetch, world.mutual_port, "/image.bin");
    fetch_run(&fetch);
    cr_assert_eq(fetch.status, 400, "nginx asks for one");
    fetch.request.identity = identity;
    fetch_run(&fetch);
    expect_image_from(0);
    fetch_close(&fetch);
    agent_identity_free(identity);
}

Test(drivers_http, nobody_listens)
{
    fetch_open(&fetch, world_free_port(), "/");
    expect_refusal("Connection refused");
}

Test(drivers_http, nothing_of_the_environment)
{
    setenv("https_proxy", "http://127.0.0.1:1", 1);
    setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    open_on("server", "/image.bin");
    fetch_run(&fetch);
    expect_image_from(0);
    fetch_close(&fetch);
}
