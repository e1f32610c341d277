// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_HOST_IMPL_CONFIG_IPP
#define CLOSESIDE_HOST_IMPL_CONFIG_IPP

#include <closeside/detail/separate_compilation.hpp>
#include <closeside/host/config.hpp>
#include <closeside/host/config_view.hpp>
#include <closeside/host/detail/sysctl_d/read_config.hpp>

#include <cerrno>

namespace closeside::host {

CLOSESIDE_DECL config_view read_config(const config_options& options) noexcept {
    config_view view;
    try {
        view.root = options.root;
        detail::sysctl_d::read_files(view, options.root, options.loader, options.procps);
    } catch (...) {
        view.error = ENOMEM;
    }
    return view;
}

} // namespace closeside::host

#endif
