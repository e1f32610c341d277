// SPDX-License-Identifier: BSL-1.0
#ifndef CLOSESIDE_CLOSESIDE_HPP
#define CLOSESIDE_CLOSESIDE_HPP

#include <closeside/acceptor.hpp>
#include <closeside/close.hpp>
#include <closeside/connect.hpp>
#include <closeside/error.hpp>
#include <closeside/max_waiting_closes.hpp>
#include <closeside/orderly_stop.hpp>
#include <closeside/policy.hpp>
#include <closeside/report.hpp>
#include <closeside/statistics.hpp>
#include <closeside/stream.hpp>
#include <closeside/version.hpp>

#endif
