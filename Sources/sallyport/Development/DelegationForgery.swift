/// What is made wrong with a chain of delegation on purpose, so that one sees the gateway refuse it.
enum DelegationForgery: String, CaseIterable {
    /// The sub-agent is given grants that its delegator does not hold.
    case widen
    /// What the delegator held is changed after the broker signed it.
    case tamper
}
