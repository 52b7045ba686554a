#include "mcmc/nuts.h"

#include "base/bug.h"
#include "math/rng.h"
#include "mcmc/quads.h"

#include <math.h>
#include <string.h>

#define DIVERGENCE 1000.0
/* Weights are exp(energy at the start - energy), as sums of exponentials, not
 * of logarithms. Trajectories that fall by more than this start outside of
 * where a chain ever is but at its very beginning; they are then weighted as
 * if they fell by this much. 2^20 of them do not overflow. */
#define MOST_FALL 600.0

size_t ens_nuts_work(size_t dim, unsigned max_depth)
{
    size_t vectors = 3 * ENS_NUTS_POINTS(max_depth) + max_depth + 1 + 2;

    return vectors * ens_padded(dim);
}

static double *carve(double **work, size_t n)
{
    double *v = *work;

    *work += n;
    return v;
}

void ens_nuts_init(struct ens_nuts *s, const struct ens_density *density,
                   unsigned max_depth, struct ens_rng *rng, double *work)
{
    size_t n = ens_padded(density->dim);

    ENS_BUG_ON(density->dim == 0);
    ENS_BUG_ON(max_depth == 0 || max_depth > ENS_NUTS_MAX_DEPTH);
    memset(s, 0, sizeof(*s));
    memset(work, 0, ens_nuts_work(density->dim, max_depth) * sizeof(*work));
    s->density = density;
    s->rng = rng;
    s->dim = density->dim;
    s->n = n;
    s->max_depth = max_depth;
    s->scale = carve(&work, n);
    s->step = carve(&work, n);
    for (size_t i = 0; i < s->dim; i++)
        s->scale[i] = 1;
    s->whole.sum = carve(&work, n);
    for (unsigned k = 0; k < max_depth; k++)
        s->tree[k].sum = carve(&work, n);
    for (size_t k = 0; k < ENS_NUTS_POINTS(max_depth); k++) {
        struct ens_nuts_point *x = &s->point[k];

        x->q = carve(&work, n);
        x->gradient = carve(&work, n);
        x->p = carve(&work, n);
        s->spare[s->n_spare++] = x;
    }
    s->here = s->spare[--s->n_spare];
    ens_nuts_set_step(s, 1);
}

void ens_nuts_set_step(struct ens_nuts *s, double step_size)
{
    s->step_size = step_size;
    for (size_t i = 0; i < s->dim; i++)
        s->step[i] = step_size * s->scale[i];
}

static void evaluate(struct ens_nuts *s, struct ens_nuts_point *x)
{
    x->lp = s->density->at(s->density->model, x->q, x->gradient);
    s->n_gradients++;
}

int ens_nuts_place(struct ens_nuts *s, const double *q)
{
    double sum = 0;

    memcpy(s->here->q, q, s->dim * sizeof(*q));
    evaluate(s, s->here);
    for (size_t i = 0; i < s->dim; i++)
        sum += s->here->gradient[i];
    return isfinite(s->here->lp) && isfinite(sum) ? 0 : -1;
}

static void set_energy(struct ens_nuts_point *x)
{
    x->energy = 0.5 * x->square - x->lp;
    /* NaN, and a log density of +inf, are outside the support, too. */
    if (!(x->energy > -INFINITY))
        x->energy = INFINITY;
}

static void draw_momentum(struct ens_nuts *s)
{
    struct ens_nuts_point *x = s->here;
    ens_quad sum = {0};

    for (size_t i = 0; i < s->dim; i++)
        x->p[i] = ens_rng_normal(s->rng);
    for (size_t i = 0; i < s->n; i += ENS_QUAD) {
        ens_quad p = ENS_QUAD_AT(x->p, i);

        sum += p * p;
    }
    x->square = ENS_QUAD_SUM(sum);
    set_energy(x);
}

ENS_QUAD_CLONES void ens_nuts_leapfrog(struct ens_nuts *s, double direction,
                                       const struct ens_nuts_point *from,
                                       struct ens_nuts_point *to)
{
    double half = 0.5 * direction;
    ens_quad sum = {0};

    for (size_t i = 0; i < s->n; i += ENS_QUAD) {
        ens_quad step = ENS_QUAD_AT(s->step, i);
        ens_quad p = ENS_QUAD_AT(from->p, i) +
                     half * step * ENS_QUAD_AT(from->gradient, i);

        ENS_QUAD_PUT(to->p, i, p);
        ENS_QUAD_PUT(to->q, i, ENS_QUAD_AT(from->q, i) + direction * step * p);
    }
    evaluate(s, to);
    for (size_t i = 0; i < s->n; i += ENS_QUAD) {
        ens_quad p = ENS_QUAD_AT(to->p, i) + half * ENS_QUAD_AT(s->step, i) *
                                                 ENS_QUAD_AT(to->gradient, i);

        ENS_QUAD_PUT(to->p, i, p);
        sum += p * p;
    }
    to->square = ENS_QUAD_SUM(sum);
    set_energy(to);
}

double ens_nuts_try(struct ens_nuts *s)
{
    struct ens_nuts_point *to = s->spare[s->n_spare - 1];

    draw_momentum(s);
    ens_nuts_leapfrog(s, 1, s->here, to);
    /* Steps below the resolution of q are none. */
    if (memcmp(to->q, s->here->q, s->dim * sizeof(*to->q)) == 0)
        return -INFINITY;
    return s->here->energy - to->energy;
}

static void release(struct ens_nuts *s, struct ens_nuts_point *x)
{
    if (--x->refs == 0)
        s->spare[s->n_spare++] = x;
}

static void release_tree(struct ens_nuts *s, const struct ens_nuts_tree *t)
{
    release(s, t->first);
    release(s, t->last);
    release(s, t->sample);
}

static void set_leaf(struct ens_nuts_tree *t, struct ens_nuts_point *x,
                     double weight)
{
    x->refs = 3;
    t->first = t->last = t->sample = x;
    t->rho = x->p;
    t->weight = weight;
}

/* The point after `from`, as a tree. Returns 0 when it diverged. */
static int grow_leaf(struct ens_nuts *s, double direction,
                     const struct ens_nuts_point *from,
                     struct ens_nuts_tree *leaf)
{
    struct ens_nuts_point *x = s->spare[--s->n_spare];
    double fall, weight, accept;

    ens_nuts_leapfrog(s, direction, from, x);
    /* Not NaN, wherever the trajectory started. */
    fall = x->energy < INFINITY ? s->start_energy - x->energy : -INFINITY;
    weight = exp(fall < MOST_FALL ? fall : MOST_FALL);
    accept = weight < 1 ? weight : 1;
    s->n_leapfrog++;
    s->accept_sum += accept;
    s->symmetric_sum += 2 * accept / (1 + weight);
    set_leaf(leaf, x, weight);
    s->divergent = fall < -DIVERGENCE;
    return !s->divergent;
}

/* Does the trajectory of a, then b, still go forward? Also makes a's rho that
 * of both. Two single points: all tests are p'(p + r) > 0 and r'(p + r) > 0. */
static int join_points(struct ens_nuts *s, struct ens_nuts_tree *a,
                       const struct ens_nuts_tree *b)
{
    ens_quad sum = {0};
    double dot;

    for (size_t i = 0; i < s->n; i += ENS_QUAD) {
        ens_quad p = ENS_QUAD_AT(a->rho, i);
        ens_quad r = ENS_QUAD_AT(b->rho, i);

        sum += p * r;
        ENS_QUAD_PUT(a->sum, i, p + r);
    }
    dot = ENS_QUAD_SUM(sum);
    a->rho = a->sum;
    return a->first->square + dot > 0 && b->first->square + dot > 0;
}

ENS_QUAD_CLONES static int join_trees(struct ens_nuts *s,
                                      struct ens_nuts_tree *a,
                                      const struct ens_nuts_tree *b)
{
    const double *a_first = a->first->p, *a_last = a->last->p;
    const double *b_first = b->first->p, *b_last = b->last->p;
    ens_quad all_first = {0}, all_last = {0}; /* with the sum of both */
    ens_quad a_one = {0}, a_two = {0};        /* with that of a and b's first */
    ens_quad b_one = {0}, b_two = {0};        /* with that of b and a's last */

    for (size_t i = 0; i < s->n; i += ENS_QUAD) {
        ens_quad rho_a = ENS_QUAD_AT(a->rho, i);
        ens_quad rho_b = ENS_QUAD_AT(b->rho, i);
        ens_quad first = ENS_QUAD_AT(a_first, i);
        ens_quad last = ENS_QUAD_AT(b_last, i);
        ens_quad before = ENS_QUAD_AT(a_last, i);
        ens_quad after = ENS_QUAD_AT(b_first, i);
        ens_quad rho = rho_a + rho_b;

        all_first += first * rho;
        all_last += last * rho;
        a_one += first * (rho_a + after);
        a_two += after * (rho_a + after);
        b_one += before * (rho_b + before);
        b_two += last * (rho_b + before);
        ENS_QUAD_PUT(a->sum, i, rho);
    }
    a->rho = a->sum;
    return ENS_QUAD_SUM(all_first) > 0 && ENS_QUAD_SUM(all_last) > 0 &&
           ENS_QUAD_SUM(a_one) > 0 && ENS_QUAD_SUM(a_two) > 0 &&
           ENS_QUAD_SUM(b_one) > 0 && ENS_QUAD_SUM(b_two) > 0;
}

/* Append b to a, of the same depth; take: b's sample becomes a's. Returns 0
 * when the trajectory turns back. */
static int join(struct ens_nuts *s, struct ens_nuts_tree *a,
                const struct ens_nuts_tree *b, int take)
{
    int forward =
        a->first == a->last ? join_points(s, a, b) : join_trees(s, a, b);

    release(s, a->last);
    release(s, b->first);
    a->last = b->last;
    if (take) {
        release(s, a->sample);
        a->sample = b->sample;
    } else {
        release(s, b->sample);
    }
    a->weight += b->weight;
    return forward;
}

/* The tree of 2^depth points that follow `from`, in s->tree[0]. Returns 0,
 * and holds no points, when it diverged or turned back inside. */
static int grow(struct ens_nuts *s, double direction, unsigned depth,
                const struct ens_nuts_point *from)
{
    struct ens_nuts_tree *t = s->tree;
    size_t top = 0; /* trees on the stack, the deepest first */
    int good = 1;

    for (uint32_t i = 0; good && i >> depth == 0; i++) {
        good = grow_leaf(s, direction, from, &t[top++]);
        from = t[top - 1].last;
        for (uint32_t bits = i; good && bits & 1; bits >>= 1) {
            double both = t[top - 2].weight + t[top - 1].weight;
            int take = ens_rng_uniform(s->rng) * both < t[top - 1].weight;

            good = join(s, &t[top - 2], &t[top - 1], take);
            top--;
        }
    }
    while (!good && top > 0)
        release_tree(s, &t[--top]);
    return good;
}

/* Random direction: turn the trajectory so that its last end is extended. */
static double choose_direction(struct ens_nuts *s, double direction)
{
    struct ens_nuts_point *first = s->whole.first;

    if (ens_rng_uniform(s->rng) > 0.5)
        return direction;
    s->whole.first = s->whole.last;
    s->whole.last = first;
    return -direction;
}

static unsigned extend(struct ens_nuts *s)
{
    struct ens_nuts_tree *whole = &s->whole;
    double direction = 1; /* of whole->last */
    unsigned depth = 0;
    int forward = 1;

    while (forward && depth < s->max_depth) {
        double weight;

        direction = choose_direction(s, direction);
        if (!grow(s, direction, depth, whole->last))
            break;
        depth++;
        weight = s->tree[0].weight;
        forward = join(s, whole, &s->tree[0],
                       weight > whole->weight ||
                           ens_rng_uniform(s->rng) * whole->weight < weight);
    }
    return depth;
}

static void jitter(struct ens_nuts *s)
{
    double step_size = s->step_size;

    if (s->jitter > 0) {
        double share = 2 * ens_rng_uniform(s->rng) - 1;

        ens_nuts_set_step(s, step_size * (1 + s->jitter * share));
        s->step_size = step_size; /* the nominal one stays */
    }
}

void ens_nuts_transition(struct ens_nuts *s, struct ens_nuts_info *info)
{
    jitter(s);
    draw_momentum(s);
    s->start_energy = s->here->energy;
    s->accept_sum = s->symmetric_sum = 0;
    s->n_leapfrog = 0;
    s->divergent = 0;
    set_leaf(&s->whole, s->here, 1);
    info->depth = extend(s);
    s->here = s->whole.sample;
    release(s, s->whole.first);
    release(s, s->whole.last);
    info->lp = s->here->lp;
    info->energy = s->here->energy;
    info->accept = s->accept_sum / s->n_leapfrog;
    info->symmetric = s->symmetric_sum / s->n_leapfrog;
    info->step_size = s->step_size;
    info->n_leapfrog = s->n_leapfrog;
    info->divergent = s->divergent;
}
