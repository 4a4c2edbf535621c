package linear

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/taximeter/taximeter/features/matrix"
)

// stop says when LSQR ends, in scipy's terms.
type stop struct {
	tolerance float64 // atol and btol
	condition float64 // conlim; 0: none
	must      bool    // reaching the limit of iterations is an error
	damp      float64 // not a stop, but scipy's too: adds damp²·‖w‖² to what is minimised
}

var (
	// sklearnStop is how scikit-learn calls scipy's lsqr.
	sklearnStop = stop{tolerance: 1e-6, condition: 1e8}
	// converged is as far as float64 goes.
	converged = stop{tolerance: 1e-15, must: true}
)

func (s stop) limit(columns int) int {
	if s.must {
		return max(1000, 20*columns)
	}
	return 2 * columns
}

// leastSquares minimises ‖X̃w − ỹ‖ by LSQR, X̃ and ỹ being the centred x and y
// (X̃ is never formed), and puts the bias where the centre was, as
// scikit-learn's LinearRegression does. The code follows scipy.sparse.linalg.lsqr,
// itself a translation of Paige and Saunders, "LSQR: an algorithm for sparse
// linear equations and sparse least squares", ACM TOMS 8(1), 1982. Started from
// zero, it converges to the solution of smallest norm.
//
// Products that are added are converted to float64 first: that keeps compilers
// from fusing the two, so that every machine gives the same bits.
func leastSquares(ctx context.Context, x *matrix.Matrix, y []float64, stop stop) (solution, error) {
	if err := checkValues(x, y); err != nil {
		return solution{}, err
	}
	a := newCentred(x)
	s := solution{bias: mean(y), weights: make([]float64, x.Width)}
	u := make([]float64, x.Rows)
	for i := range u {
		u[i] = y[i] - s.bias
	}
	v, sums := make([]float64, x.Width+1), make([]float64, x.Width+1)
	beta := norm(u)
	bnorm := beta
	var alfa float64
	if beta > 0 {
		alfa = a.pull(v, u, 1/beta, 0, sums)
	}
	if alfa*beta == 0 { // either no column varies with y, or y does not vary
		return s, nil
	}
	scaleBy(v, 1/alfa)
	direction := slices.Clone(v) // scipy's w

	const eps = 0x1p-52
	rhobar, phibar := alfa, beta
	cs2, sn2 := -1., 0.
	var anorm, ddnorm, xxnorm, z, psi2 float64
	for {
		if err := ctx.Err(); err != nil {
			return solution{}, err
		}
		s.iterations++

		// Next step of the bidiagonalisation: u = Av − alfa·u, v = Aᵀu − beta·v.
		beta = a.advance(u, v, alfa)
		if beta > 0 {
			anorm = math.Sqrt(float64(anorm*anorm) + float64(alfa*alfa) + float64(beta*beta) + float64(stop.damp*stop.damp))
			alfa = a.pull(v, u, 1/beta, beta, sums)
			if alfa > 0 {
				scaleBy(v, 1/alfa)
			}
		}

		// Rotate away the damping.
		if stop.damp > 0 {
			damped := math.Sqrt(float64(rhobar*rhobar) + float64(stop.damp*stop.damp))
			psi := stop.damp / damped * phibar
			psi2 += float64(psi * psi)
			phibar = rhobar / damped * phibar
			rhobar = damped
		}

		// Rotate away the subdiagonal, giving an upper bidiagonal matrix.
		cs, sn, rho := rotation(rhobar, beta)
		theta := sn * alfa
		rhobar = -cs * alfa
		phi := float64(cs * phibar)
		phibar = sn * phibar
		tau := sn * phi

		t1, t2, t3 := phi/rho, -theta/rho, 1/rho
		var dd float64
		for i, d := range direction[:x.Width] {
			dk := t3 * d
			dd += float64(dk * dk)
			s.weights[i] += float64(t1 * d)
			direction[i] = v[i] + float64(t2*d)
		}
		ddnorm += dd

		// Rotate on the right to estimate the norm of the weights.
		delta := sn2 * rho
		gambar := -cs2 * rho
		rhs := phi - float64(delta*z)
		zbar := rhs / gambar
		xnorm := math.Sqrt(xxnorm + float64(zbar*zbar))
		gamma := math.Sqrt(float64(gambar*gambar) + float64(theta*theta))
		cs2, sn2 = gambar/gamma, theta/gamma
		z = rhs / gamma
		xxnorm += float64(z * z)

		acond := float64(anorm * math.Sqrt(ddnorm))
		rnorm := math.Sqrt(float64(phibar*phibar) + psi2)
		arnorm := alfa * math.Abs(tau)
		test1 := rnorm / bnorm
		test2 := arnorm / (float64(anorm*rnorm) + eps)
		test3 := 1 / (acond + eps)
		size := anorm * xnorm / bnorm
		if 1+test3 <= 1 || 1+test2 <= 1 || 1+test1/(1+size) <= 1 ||
			stop.condition > 0 && test3 <= 1/stop.condition ||
			test2 <= stop.tolerance || test1 <= stop.tolerance+float64(stop.tolerance*size) {
			break
		}
		if s.iterations >= stop.limit(x.Width) {
			if stop.must {
				return solution{}, fmt.Errorf("LSQR has not converged after %d iterations", s.iterations)
			}
			break
		}
	}
	s.bias -= dot(a.mean, s.weights)
	return s, nil
}

// rotation returns the Givens rotation of (a, b), as scipy's _sym_ortho.
func rotation(a, b float64) (c, s, r float64) {
	sign := func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return 0
	}
	switch {
	case b == 0:
		return sign(a), 0, math.Abs(a)
	case a == 0:
		return 0, sign(b), math.Abs(b)
	case math.Abs(b) > math.Abs(a):
		tau := a / b
		s = sign(b) / math.Sqrt(1+float64(tau*tau))
		return s * tau, s, b / s
	}
	tau := b / a
	c = sign(a) / math.Sqrt(1+float64(tau*tau))
	return c, c * tau, a / c
}

func scaleBy(v []float64, f float64) {
	for i := range v {
		v[i] *= f
	}
}
