// Possession
