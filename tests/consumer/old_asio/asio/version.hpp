// SPDX-License-Identifier: BSL-1.0
#define ASIO_VERSION 102200 // 1.22.0
