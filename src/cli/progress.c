#include "cli/progress.h"

#include <stdio.h>

void ens_progress_seconds(char *to, size_t cap, double s)
{
    if (!(s >= 0) || s > 1e9)
        snprintf(to, cap, "?");
    else if (s < 120)
        snprintf(to, cap, "%.0f s", s);
    else if (s < 7200)
        snprintf(to, cap, "%.0f min", s / 60);
    else
        snprintf(to, cap, "%.1f h", s / 3600);
}

void ens_progress_text(char *to, size_t cap, const struct ens_run_progress *p)
{
    char eta[32];
    char cells[96] = "";
    char task[224] = "";
    char took[32];

    ens_progress_seconds(eta, sizeof(eta), p->eta_s);
    if (p->n_cells > 0)
        snprintf(cells, sizeof(cells), "%llu/%llu cells, ",
                 (unsigned long long)p->n_stopped,
                 (unsigned long long)p->n_cells);
    ens_progress_seconds(took, sizeof(took), p->task_s);
    if (p->task != NULL)
        snprintf(task, sizeof(task), "; %s for %s", p->task, took);
    snprintf(to, cap,
             "%s: %s%llu/%s%llu tasks, %llu not ok, %.4g/s, %s left, "
             "efficiency %.0f %%, %.0f MiB%s%s%s",
             p->stage, cells, (unsigned long long)p->n_done,
             p->n_cells > 0 ? "at most " : "", (unsigned long long)p->n_tasks,
             (unsigned long long)p->n_not_ok, p->tasks_per_s, eta,
             100 * p->efficiency, (double)p->pss_bytes / 1048576.0, task,
             p->note != NULL ? "; " : "", p->note != NULL ? p->note : "");
}
