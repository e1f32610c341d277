// SPDX-License-Identifier: BSL-1.0
#include <closeside/host/key_value.hpp>

bool is_present(const closeside::host::key_value& value);

int main() { return is_present({}) ? 1 : 0; }
