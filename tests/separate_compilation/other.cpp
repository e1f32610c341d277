// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/key_value.hpp>

bool is_present(const closeside::host::key_value& value) {
    return value.status == closeside::host::key_status::present;
}
