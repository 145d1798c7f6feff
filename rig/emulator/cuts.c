/* What a loss of power hit, as a JSON line. */
#include "emulator.h"

static const char *yes(bool it)
{
    return it ? "true" : "false";
}

static int write_op(FILE *to, const struct rig_cut *cut)
{
    const struct rig_op *op = &cut->op;
    if (!cut->any || !op->len)
        return fputs(",\"operation\":null,\"in_progress\":false,\"kind\":null,\"addr\":null,"
                     "\"len\":null,\"into_us\":null,\"form\":null",
                     to);
    fprintf(to, ",\"operation\":%llu,\"in_progress\":%s,\"kind\":\"%s\",\"addr\":%u,\"len\":%u",
            (unsigned long long)op->number, yes(cut->hit), op->erase ? "erase" : "program",
            op->addr, op->len);
    if (!cut->hit)
        return fputs(",\"into_us\":null,\"form\":null", to);
    return fprintf(to, ",\"into_us\":%lld,\"form\":\"%s\"", (long long)cut->into_us,
                   scn_torn_name((int)cut->form));
}

int em_cut_write(FILE *to, uint32_t n, const struct rig_cut *cut, int64_t at_us, int64_t due_us)
{
    fprintf(to, "{\"n\":%u,\"at_us\":%lld,\"due_us\":%lld", n, (long long)at_us, (long long)due_us);
    write_op(to, cut);
    fprintf(to, ",\"clean\":%s,\"strays\":%u}\n", yes(cut->clean), cut->strays);
    return fflush(to) || ferror(to) ? -1 : 0;
}
