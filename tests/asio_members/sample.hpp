// SPDX-License-Identifier: BSL-1.0
// Declarations as Asio's headers have them; read by check_members, never compiled.
class sample;

/// class sample { not this one
template <typename Protocol, typename Executor>
class sample : public base<Protocol, Executor> {
public:
    enum enumeration { enumerator = ASIO_OS_DEF(SHUT_RD) };

    explicit sample(const executor_type& ex) : impl_(0, ex) { not_a_member(); }

    ~sample() {}

    template <typename Other>
    friend class sample;

#if defined(ASIO_MSVC) && defined(not_a_member)
    __declspec(deprecated("not_a_member()"))
#endif
        void on_other_systems();

    template <typename Token DEFAULT_TOKEN(executor_type)>
    typename constraint<is_convertible<Token, Executor>::value>::type behind_a_template(Token&& token = Token()) const {
        return {not_a_member(token)};
    }

    ASIO_INITFN_AUTO_RESULT_TYPE(Token, void(not_a_member, std::size_t))
    around_a_macro(int listed);

    typedef implementation_defined listed;

protected:
    void not_public();

private:
    int impl_;
};
