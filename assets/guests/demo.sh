# What a scientist's machine gathers: an environment in /opt, work, leftovers, odd names. Sourced by furnish.sh.
# shellcheck shell=bash
# shellcheck disable=SC2154  # root, wheels: furnish.sh

environment() {
    inside python3 -m venv /opt/science
    mkdir "$root/tmp/wheels"
    cp "$wheels"/*.whl "$root/tmp/wheels/"
    inside sh -c "/opt/science/bin/pip install --quiet --no-index /tmp/wheels/*.whl"
    rm -r "$root/tmp/wheels"
}

home() {
    local home=$root/home/sci
    mkdir -p "$home/analysis/results" "$home/.cache/pip/wheels/3f/c2/6d" "$home/.local/share/Trash/files"
    cat >"$home/analysis/fit.R" <<'END'
#!/usr/bin/env Rscript
# Least squares on a damped oscillation.
set.seed(1)
t <- seq(0, 10, by = 0.1)
y <- exp(-0.3 * t) * cos(2 * t) + rnorm(length(t), sd = 0.05)
fit <- nls(y ~ exp(-k * t) * cos(w * t), start = list(k = 0.2, w = 1.9))
print(round(coef(fit), 2))
END
    cat >"$home/analysis/spectrum.py" <<'END'
#!/usr/bin/env python3
"""Finds the strongest frequency of a noisy signal."""
import numpy as np
from scipy import signal

rng = np.random.default_rng(1)
time = np.arange(0, 10, 0.01)
noisy = np.sin(2 * np.pi * 5 * time) + rng.normal(size=time.size)
frequency, power = signal.welch(noisy, fs=100, nperseg=512)
print(f"{frequency[power.argmax()]:.1f} Hz")
END
    cat >"$home/analysis/summary.py" <<'END'
#!/opt/science/bin/python
"""Averages a run, with the environment in /opt."""
from pathlib import Path

import pandas as pd

run = pd.read_csv(Path(__file__).parent / "results/run-1.csv", names=["time", "amplitude"])
print(run.groupby(run.time.astype(int)).amplitude.mean().round(3).to_string())
END
    cat >"$home/analysis/ring.py" <<'END'
#!/usr/bin/env python3
"""Adds up the ranks: mpirun -n 2 ./ring.py"""
from mpi4py import MPI

total = MPI.COMM_WORLD.allreduce(MPI.COMM_WORLD.rank)
if MPI.COMM_WORLD.rank == 0:
    print(MPI.COMM_WORLD.size, "ranks, sum", total)
END
    chmod +x "$home"/analysis/*.{R,py}
    seq 0 0.001 20 | awk '{ printf "%.3f,%.6f\n", $1, exp(-0.3 * $1) * cos(2 * $1) }' >"$home/analysis/results/run-1.csv"
    ln "$home/analysis/results/run-1.csv" "$home/analysis/results/latest.csv"
    cp "$(find "$wheels" -name 'pandas-*.whl')" "$home/.cache/pip/wheels/3f/c2/6d/"
    cp "$home/analysis/fit.R" "$home/.local/share/Trash/files/old-fit.R"
    odd_files "$home/analysis/results"
    inside chown -R sci:sci /home/sci
    inside setfacl -m u:www-data:r /home/sci/analysis/results/run-1.csv
}

# Names and shapes that real disks have, and that a program reading them must survive.
odd_files() {
    printf 'a\n' >"$1/two"$'\n'"lines.txt"
    printf 'b\n' >"$1/"$'latin1-\xe9t\xe9.txt'
    printf 'c\n' >"$1/"$'red-\e[31m.txt'
    truncate -s 10M "$1/sparse.bin"
    printf 'end\n' >>"$1/sparse.bin"
}

solver() {
    mkdir -p "$root/usr/local/bin" "$root/usr/local/src"
    cat >"$root/usr/local/src/capture.c" <<'END'
#include <stdio.h>
int main(void) { puts("capture"); return 0; }
END
    inside gcc -O2 -o /usr/local/bin/capture /usr/local/src/capture.c
    inside setcap cap_net_raw+ep /usr/local/bin/capture
}

# What a machine that others use too gets: an account that may only push, what its owner may do as root, what runs at night.
permissions() {
    inside useradd --system --create-home --home-dir /srv/git --shell /usr/bin/git-shell git
    printf 'sci ALL=(root) NOPASSWD: /usr/bin/rsync -a /home/sci/analysis /srv/backup\n' >"$root/etc/sudoers.d/sci"
    chmod 440 "$root/etc/sudoers.d/sci"
    inside crontab -u sci - <<<'30 3 * * * /usr/sbin/logrotate --state ~/.cache/logrotate ~/analysis/logrotate.conf'
}

leftovers() {
    # Of the downloads, as many as a machine has some weeks after its last cleaning.
    find "$root/var/cache/apt/archives" -name '*.deb' ! -name 'v*' -delete
    rm -f "$root"/var/cache/apt/*.bin
    local day
    for day in 1 2 3; do
        seq 4000 | sed "s/.*/Jan 0$day 03:1&:00 guest solver[&]: step & of 4000 converged, residual 1.3e-7/" |
            gzip >"$root/var/log/solver.log.$day.gz"
    done
    seq 40000 | sed 's/.*/Jan 04 guest solver[&]: step & of 40000 converged, residual 1.3e-7/' >"$root/var/log/solver.log"
}

# shellcheck source=assets/guests/demo.software.sh
. "$here/demo.software.sh"

environment
home
software
solver
permissions
leftovers
