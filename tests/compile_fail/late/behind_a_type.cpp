// SPDX-License-Identifier: BSL-1.0
// error: too_late
template <class... Types>
struct list {};
struct too_late {};

using long_type = list<unsigned long, unsigned char, unsigned short, long long, signed char, double, float, long double,
                       list<unsigned long, unsigned char, unsigned short, long long>, too_late>;

#ifdef BAD
using member = long_type::type;
#else
using member = long_type;
#endif
