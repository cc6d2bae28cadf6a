/* A rule in C++: V = s sign(W), written as numbers (Liao, Leibo and Poggio 2016). Nothing thrown may leave a callback. */
#include <bioft/rule.h>

#include <algorithm>
#include <cmath>

namespace {

struct sign_cxx {
    double size;
};

bioft_option size_option()
{
    bioft_option o{};
    o.name = "size";
    o.type = BIOFT_F64;
    o.offset = offsetof(sign_cxx, size);
    o.def = 1.0;
    o.max = 1e6;
    o.help = "s as a part of 1/sqrt(3 fan_in)";
    return o;
}

bioft_status fill_feedback(void *self, const bioft_layer *layer, uint64_t, const float *w, float *v)
{
    const auto *p = static_cast<const sign_cxx *>(self);
    const auto s = static_cast<float>(p->size / std::sqrt(3.0 * static_cast<double>(layer->fan_in)));
    std::transform(w, w + layer->count, v, [s](float x) { return x > 0.0f ? s : x < 0.0f ? -s : 0.0f; });
    return BIOFT_OK;
}

bioft_rule make_rule()
{
    bioft_rule r{};
    r.struct_size = sizeof r;
    r.fill_feedback = fill_feedback;
    return r;
}

const bioft_option options[] = { size_option() };
const bioft_rule rule = make_rule();

bioft_plugin make_plugin()
{
    bioft_plugin p{};
    p.magic = BIOFT_MAGIC;
    p.struct_size = sizeof p;
    p.abi_version = BIOFT_ABI_VERSION;
    p.kind = BIOFT_KIND_RULE;
    p.name = "sign_cxx";
    p.version = "1.0";
    p.author = "bioft";
    p.license = "MIT";
    p.summary = "sign-concordant feedback, in C++";
    p.reference = "Liao, Leibo, Poggio, AAAI 2016";
    p.instance_size = sizeof(sign_cxx);
    p.options = options;
    p.option_count = 1;
    p.option_size = sizeof *options;
    p.vtable = &rule;
    return p;
}

const bioft_plugin plugin = make_plugin();

} // namespace

const bioft_plugin *bioft_plugin_entry(uint32_t index) { return index == 0 ? &plugin : nullptr; }
