def largest(keys, among, n):
    """Flags of the n entries with the largest keys, where `among` is set; of equal keys the first."""
    keys = np.where(among, keys, -np.inf)
    flags = np.zeros(keys.shape, bool)
    flags.flat[np.argsort(-keys, axis=None, kind="stable")[:int(n)]] = True
    return flags & among


