#include "learn/svm_kernel.h"

#include <math.h>
#include <string.h>

#define MAX_CLASSES 1000

static size_t pairs_of(const struct ens_svm_head *h)
{
    return h->k == 0 ? 1 : (size_t)(h->k * (h->k - 1) / 2);
}

static size_t weights_of(const struct ens_svm_head *h)
{
    return h->k == 0 ? 1 : (size_t)h->k - 1;
}

uint64_t ens_svm_machine_bytes(const struct ens_svm_head *h)
{
    uint64_t pairs, doubles;

    if (h->k > MAX_CLASSES || h->n > INT32_MAX || h->p > INT32_MAX ||
        h->kernel > ENS_SVM_SIGMOID)
        return 0;
    pairs = pairs_of(h);
    doubles = 2 * h->k + pairs + (h->is_probable ? 2 * pairs : 0);
    doubles += h->n * weights_of(h);
    if (h->p > 0 && h->n > (UINT64_MAX / 16 - doubles) / h->p)
        return 0;
    return sizeof(*h) + (doubles + h->n * h->p) * sizeof(double);
}

void ens_svm_machine_lay(struct ens_svm_machine *m, void *data)
{
    struct ens_svm_head *h = &m->head;

    memcpy(h, data, sizeof(*h));
    m->pairs = pairs_of(h);
    m->label = (double *)(void *)((char *)data + sizeof(*h));
    m->rho = m->label + h->k;
    m->sigmoid = m->rho + m->pairs;
    m->count = m->sigmoid + (h->is_probable ? 2 * m->pairs : 0);
    m->weight = m->count + h->k;
    m->vector = m->weight + h->n * weights_of(h);
}

int ens_svm_machine_open(struct ens_svm_machine *m, const void *data,
                         size_t bytes)
{
    struct ens_svm_head head;
    double n = 0;

    if (bytes < sizeof(head))
        return -1;
    memcpy(&head, data, sizeof(head));
    if (head.is_probable > 1 || ens_svm_machine_bytes(&head) != bytes)
        return -1;
    ens_svm_machine_lay(m, (void *)(uintptr_t)data);
    for (size_t c = 0; c < head.k; c++) {
        if (!(m->label[c] >= 0) || !(m->label[c] < MAX_CLASSES) ||
            !(m->count[c] >= 0) || !(m->count[c] <= (double)head.n))
            return -1;
        n += floor(m->count[c]);
    }
    return head.k > 0 && n != (double)head.n ? -1 : 0;
}

size_t ens_svm_machine_work(const struct ens_svm_machine *m)
{
    size_t k = (size_t)m->head.k;

    return (size_t)m->head.n + m->pairs + 2 * k * k + 3 * k + 1;
}

static double power(double x, uint32_t n)
{
    double y = 1;

    for (; n > 0; n /= 2, x *= x)
        if (n % 2)
            y *= x;
    return y;
}

static double kernel(const struct ens_svm_head *h, const double *x,
                     const double *z)
{
    double sum = 0;

    if (h->kernel == ENS_SVM_RBF) {
        for (size_t j = 0; j < h->p; j++)
            sum += (x[j] - z[j]) * (x[j] - z[j]);
        return exp(-h->gamma * sum);
    }
    for (size_t j = 0; j < h->p; j++)
        sum += x[j] * z[j];
    if (h->kernel == ENS_SVM_LINEAR)
        return sum;
    sum = h->gamma * sum + h->coef0;
    return h->kernel == ENS_SVM_POLY ? power(sum, h->degree) : tanh(sum);
}

double ens_svm_machine_number(const struct ens_svm_machine *m, const double *x)
{
    double y = 0;

    for (size_t i = 0; i < m->head.n; i++)
        y += m->weight[i] * kernel(&m->head, x, m->vector + i * m->head.p);
    return y - m->rho[0];
}

/* Values of all pairs (a, b), a < b: positive for a. near[n] are kernels. */
static void decide(const struct ens_svm_machine *m, const double *near,
                   double *value)
{
    size_t n = (size_t)m->head.n, k = (size_t)m->head.k, pair = 0, from_a = 0;

    for (size_t a = 0; a < k; a++) {
        size_t n_a = (size_t)m->count[a], from_b = from_a + n_a;

        for (size_t b = a + 1; b < k; b++, pair++) {
            size_t n_b = (size_t)m->count[b];
            double sum = 0;

            for (size_t i = 0; i < n_a; i++)
                sum += m->weight[(b - 1) * n + from_a + i] * near[from_a + i];
            for (size_t i = 0; i < n_b; i++)
                sum += m->weight[a * n + from_b + i] * near[from_b + i];
            value[pair] = sum - m->rho[pair];
            from_b += n_b;
        }
        from_a += n_a;
    }
}

static size_t most_votes(const struct ens_svm_machine *m, const double *value,
                         double *votes)
{
    size_t k = (size_t)m->head.k, pair = 0, best = 0;

    memset(votes, 0, k * sizeof(*votes));
    for (size_t a = 0; a < k; a++)
        for (size_t b = a + 1; b < k; b++)
            votes[value[pair++] > 0 ? a : b]++;
    for (size_t a = 1; a < k; a++)
        if (votes[a] > votes[best] ||
            (votes[a] == votes[best] && m->label[a] < m->label[best]))
            best = a;
    return best;
}

/* Probability of the first class of a pair, kept off 0 and 1 as by libsvm. */
static double sigmoid(double value, double slope, double offset)
{
    double z = value * slope + offset;
    double share = z >= 0 ? exp(-z) / (1 + exp(-z)) : 1 / (1 + exp(z));

    return fmin(fmax(share, 1e-7), 1 - 1e-7);
}

/* Probabilities p[k] from those of pairs r[k * k]: Wu, Lin and Weng (2004),
 * "Probability estimates for multi-class classification by pairwise
 * coupling", JMLR 5, algorithm 2, with the stop of libsvm. */
static void couple(size_t k, const double *r, double *p, double *q, double *qp)
{
    for (size_t t = 0; t < k; t++) {
        p[t] = 1.0 / (double)k;
        q[t * k + t] = 0;
        for (size_t j = 0; j < k; j++) {
            if (j == t)
                continue;
            q[t * k + t] += r[j * k + t] * r[j * k + t];
            q[t * k + j] = -r[j * k + t] * r[t * k + j];
        }
    }
    for (size_t round = 0; round < (k > 100 ? k : 100); round++) {
        double pqp = 0, worst = 0;

        for (size_t t = 0; t < k; t++) {
            qp[t] = 0;
            for (size_t j = 0; j < k; j++)
                qp[t] += q[t * k + j] * p[j];
            pqp += p[t] * qp[t];
        }
        for (size_t t = 0; t < k; t++)
            worst = fmax(worst, fabs(qp[t] - pqp));
        if (worst < 0.005 / (double)k)
            return;
        for (size_t t = 0; t < k; t++) {
            double step = (pqp - qp[t]) / q[t * k + t];

            p[t] += step;
            pqp = (pqp + step * (step * q[t * k + t] + 2 * qp[t])) /
                  (1 + step) / (1 + step);
            for (size_t j = 0; j < k; j++) {
                qp[j] = (qp[j] + step * q[t * k + j]) / (1 + step);
                p[j] /= 1 + step;
            }
        }
    }
}

void ens_svm_machine_classes(const struct ens_svm_machine *m, const double *x,
                             double *share, size_t n_classes, double *work)
{
    size_t n = (size_t)m->head.n, k = (size_t)m->head.k, pair = 0;
    double *value = work + n, *r = value + m->pairs, *p = r + k * k;
    double *q = p + k, *qp = q + k * k;

    memset(share, 0, n_classes * sizeof(*share));
    for (size_t i = 0; i < n; i++)
        work[i] = kernel(&m->head, x, m->vector + i * m->head.p);
    decide(m, work, value);
    memset(p, 0, k * sizeof(*p));
    if (k == 1 || !m->head.is_probable) {
        size_t best = most_votes(m, value, p);

        memset(p, 0, k * sizeof(*p));
        p[best] = 1;
    } else {
        for (size_t a = 0; a < k; a++)
            for (size_t b = a + 1; b < k; b++, pair++) {
                r[a * k + b] = sigmoid(value[pair], m->sigmoid[pair],
                                       m->sigmoid[m->pairs + pair]);
                r[b * k + a] = 1 - r[a * k + b];
            }
        if (k == 2) {
            p[0] = r[1];
            p[1] = r[2];
        } else {
            couple(k, r, p, q, qp);
        }
    }
    for (size_t a = 0; a < k; a++)
        if (m->label[a] < (double)n_classes)
            share[(size_t)m->label[a]] = p[a];
}
